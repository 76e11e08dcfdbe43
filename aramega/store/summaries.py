"""Sums over a workspace, for whoever shows how a build stands: status, watch, progress and the report.

Everything comes from `results` and `failures`, one row an item and stage, and from the recordings; never from the
segments themselves. So the answer takes no longer for a million of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aramega.records import ChannelLayout, Failure
from aramega.stages.names import SEGMENT
from aramega.store.database import Store
from aramega.store.pending import Mark


def count_sources(store: Store) -> int:
    """How many files the curator has named."""
    return int(store._connection.execute("SELECT count(*) FROM sources").fetchone()[0])


def count_outdated(store: Store, mark: Mark) -> int:
    """How many of a stage's results were made under another fingerprint."""
    query = "SELECT count(*) FROM results WHERE stage = ? AND fingerprint <> ?"
    return int(store._connection.execute(query, (mark.stage, mark.fingerprint)).fetchone()[0])


def count_failed(store: Store, mark: Mark) -> int:
    """How many items a stage has failed under this fingerprint."""
    query = "SELECT count(*) FROM failures WHERE stage = ? AND fingerprint = ?"
    return int(store._connection.execute(query, (mark.stage, mark.fingerprint)).fetchone()[0])


def sum_ingested(store: Store, mark: Mark) -> tuple[int, float]:
    """How many recordings ingest has made and their seconds, once each where two files hold the same bytes."""
    query = """SELECT count(*), coalesce(sum(r.seconds), 0) FROM recordings r WHERE EXISTS (
               SELECT 1 FROM sources s CROSS JOIN results k ON k.stage = ? AND k.item = s.path
               WHERE s.recording = r.id AND k.fingerprint = ?)"""  # CROSS: sources first, each has few results
    recordings, seconds = store._connection.execute(query, (mark.stage, mark.fingerprint)).fetchone()
    return int(recordings), float(seconds)


def newest_result(store: Store) -> str:
    """When the newest result of any stage was written; empty before the first."""
    return str(store._connection.execute("SELECT coalesce(max(finished_at), '') FROM results").fetchone()[0])


def results_between(store: Store, since: str, until: str) -> dict[str, tuple[int, float]]:
    """By stage: how many results were written after `since` and up to `until`, and the seconds of sound in them."""
    query = """SELECT stage, count(*), sum(seconds) FROM results WHERE finished_at > ? AND finished_at <= ?
               GROUP BY stage"""
    return {row[0]: (row[1], row[2]) for row in store._connection.execute(query, (since, until))}


def failures_under(store: Store, mark: Mark) -> Iterator[Failure]:
    """A stage's failures under this fingerprint, by item; the items are not named."""
    query = "SELECT item, error, failed_at FROM failures WHERE stage = ? AND fingerprint = ? ORDER BY item"
    for row in store._connection.execute(query, (mark.stage, mark.fingerprint)):
        yield Failure(mark.stage, row[0], row[1], row[2])


def newest_failures(store: Store, marks: Iterable[Mark], limit: int) -> list[Failure]:
    """What failed last under these fingerprints, the newest first; the items are not named."""
    asked = list(marks)
    which = " OR ".join("(stage = ? AND fingerprint = ?)" for _ in asked)
    values = [value for mark in asked for value in (mark.stage, mark.fingerprint)]
    query = f"SELECT stage, item, error, failed_at FROM failures WHERE {which} ORDER BY failed_at DESC, item LIMIT ?"  # noqa: S608
    return [Failure(*row) for row in store._connection.execute(query, [*values, limit])]


@dataclass(frozen=True)
class EmptyRecording:
    """A recording that gave no passage, and what was heard in it."""

    recording: str
    name: str
    seconds: float
    segments: int
    speech_seconds: float
    music_seconds: float


def count_empty_recordings(store: Store, mark: Mark) -> int:
    """How many recordings the stage of `mark` made nothing of."""
    query = f"SELECT count(*) {_MADE_NOTHING}"
    return int(store._connection.execute(query, (mark.stage, mark.fingerprint)).fetchone()[0])


def list_empty_recordings(store: Store, mark: Mark, limit: int) -> list[EmptyRecording]:
    """The first of them, the longest first."""
    rows = store._connection.execute(
        f"""SELECT r.id, r.name, r.seconds, coalesce(s.made, 0), coalesce(s.seconds, 0), t.spans
            FROM (SELECT r.* {_MADE_NOTHING} ORDER BY r.seconds DESC, r.id LIMIT ?) r
            LEFT JOIN timelines t ON t.recording = r.id
            LEFT JOIN results s ON s.stage = '{SEGMENT}' AND s.item = r.id""",  # noqa: S608
        (mark.stage, mark.fingerprint, limit),
    )
    return [EmptyRecording(row[0], row[1], row[2], row[3], row[4], _music_seconds(row[5])) for row in rows]


_MADE_NOTHING = (
    "FROM results k JOIN recordings r ON r.id = k.item WHERE k.stage = ? AND k.fingerprint = ? AND k.made = 0"
)


def _music_seconds(spans: str | None) -> float:
    return sum((span["end"] - span["start"] for span in json.loads(spans or "[]") if span["kind"] == "music"), 0.0)


def count_channel_layouts(store: Store) -> list[tuple[ChannelLayout, str, int]]:
    """What recordings hold on their channels, what was listened to, and how many they are; the most frequent first."""
    rows = store._connection.execute(
        """SELECT channel_layout, downmix, count(*) AS number FROM recordings GROUP BY channel_layout, downmix
           ORDER BY number DESC, channel_layout, downmix"""
    )
    return [(row[0], row[1], row[2]) for row in rows]


def names_with_layout(store: Store, layout: ChannelLayout, downmix: str, limit: int) -> list[str]:
    """The first names of the recordings with these channels."""
    query = "SELECT name FROM recordings WHERE channel_layout = ? AND downmix = ? ORDER BY name LIMIT ?"
    return [row[0] for row in store._connection.execute(query, (layout, downmix, limit))]


def list_transcript_notes(store: Store, limit: int) -> list[tuple[str, str]]:
    """What lies beside a recording under its name and is no transcript, with the recording's name."""
    rows = store._connection.execute(
        """SELECT t.note, r.name FROM transcripts t JOIN passages p ON p.id = t.passage
           JOIN recordings r ON r.id = p.recording WHERE t.note <> '' GROUP BY t.note, r.id ORDER BY t.note LIMIT ?""",
        (limit,),
    )
    return [(row[0], row[1]) for row in rows]
