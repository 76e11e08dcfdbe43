"""Where the sound went: how much of each recording became speech, segments and passages. What the report is made from.

Sums are made by SQLite, and long tables are read in batches of fixed size, so that a million segments are never in
memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aramega.records import Span, Timeline
from aramega.stages.names import PASSAGES, SEGMENT
from aramega.store.database import Store
from aramega.store.rows import revive

BATCH = 50_000


@dataclass(frozen=True)
class RecordingSums:
    """What became of one recording."""

    recording: str
    segments: int
    speech_seconds: float
    music_seconds: float
    passages: int
    passage_seconds: float


@dataclass(frozen=True)
class WholeSums:
    """What became of all recordings together, in seconds."""

    seconds: float
    speech: float
    kept_speech: float
    """Speech that lies in passages."""
    passage_seconds: float
    passages: int
    music: float
    """Of the segmented recordings; so is silence."""
    silence: float
    grouped_speech: float
    """Speech of the recordings that were grouped into passages."""


@dataclass(frozen=True)
class SegmentPlace:
    """A segment, and whether a passage holds it."""

    recording: str
    start: float
    end: float
    in_passage: bool


@contextmanager
def summing_recordings(store: Store) -> Iterator[None]:
    """A snapshot of the workspace in which this module's functions may be asked: they share one row a recording, in a
    table that goes with the snapshot."""
    with store.snapshot():
        store._connection.execute(_SUMS)
        yield


_SUMS = f"""
    CREATE TEMP TABLE report_recordings AS
    SELECT r.id, r.seconds, s.item IS NOT NULL AS segmented, p.item IS NOT NULL AS grouped,
           coalesce(s.made, 0) AS segments, coalesce(s.seconds, 0) AS speech, coalesce(m.music, 0) AS music,
           coalesce(p.made, 0) AS passages, coalesce(p.seconds, 0) AS passage_seconds,
           min(coalesce(k.kept, 0), coalesce(s.seconds, 0)) AS kept
    FROM recordings r
    LEFT JOIN results s ON s.stage = '{SEGMENT}' AND s.item = r.id
    LEFT JOIN results p ON p.stage = '{PASSAGES}' AND p.item = r.id
    LEFT JOIN (SELECT recording, sum(speech_seconds) AS kept FROM passages GROUP BY recording) k ON k.recording = r.id
    LEFT JOIN (SELECT recording, sum(json_extract(value, '$.end') - json_extract(value, '$.start')) AS music
               FROM timelines, json_each(spans) WHERE json_extract(value, '$.kind') = 'music'
               GROUP BY recording) m ON m.recording = r.id
"""  # noqa: S608


def sum_whole(store: Store) -> WholeSums:
    """All recordings together."""
    row = store._connection.execute(
        """SELECT coalesce(sum(seconds), 0), coalesce(sum(speech), 0), coalesce(sum(kept), 0),
           coalesce(sum(passage_seconds), 0), coalesce(sum(passages), 0),
           coalesce(sum(music) FILTER (WHERE segmented), 0),
           coalesce(sum(max(0, seconds - speech - music)) FILTER (WHERE segmented), 0),
           coalesce(sum(speech) FILTER (WHERE grouped), 0)
           FROM report_recordings"""
    ).fetchone()
    return WholeSums(*row)


def sum_failed(store: Store, stage: str) -> tuple[float, float]:
    """Seconds of sound, and of speech in it, in the recordings that failed at this stage."""
    row = store._connection.execute(
        """SELECT coalesce(sum(r.seconds), 0), coalesce(sum(r.speech), 0)
           FROM failures f JOIN report_recordings r ON r.id = f.item WHERE f.stage = ?""",
        (stage,),
    ).fetchone()
    return row[0], row[1]


def least_used_recordings(store: Store, limit: int) -> list[RecordingSums]:
    """The recordings of which most seconds are in no passage."""
    query = """SELECT id, segments, speech, music, passages, passage_seconds FROM report_recordings
               ORDER BY seconds - passage_seconds DESC, id LIMIT ?"""
    return [RecordingSums(*row) for row in store._connection.execute(query, (limit,))]


def segments_where_speech_was_lost(store: Store) -> Iterator[SegmentPlace]:
    """All segments of the recordings that lost half a second of speech or more; a millisecond is rounding."""
    cursor = store._connection.cursor()
    cursor.row_factory = None
    cursor.execute(
        """SELECT s.recording, s.start, s."end", coalesce(s."end" <= 0.001 + (
               SELECT p."end" FROM passages p WHERE p.recording = s.recording AND p.start <= s.start + 0.001
               ORDER BY p.start DESC LIMIT 1), 0)
           FROM report_recordings r JOIN segments s ON s.recording = r.id
           WHERE r.grouped AND r.speech - r.kept >= 0.5 ORDER BY s.recording, s.start"""
    )
    for recording, start, end, in_passage in cursor:
        yield SegmentPlace(recording, start, end, bool(in_passage))


def load_spans(store: Store, recording: str) -> tuple[Span, ...]:
    """A recording's timeline; empty where there is none."""
    row = store._connection.execute("SELECT * FROM timelines WHERE recording = ?", (recording,)).fetchone()
    return revive(Timeline, row).spans if row else ()


Numbers = Iterator[Sequence[Sequence[float | None]]]


def measured_segments(store: Store) -> Numbers:
    """Of each segment: seconds, signal-to-noise ratio, loudness, bandwidth in kHz, hours; a batch at a time."""
    query = 'SELECT "end" - start, snr_db, loudness_lufs, bandwidth_hz / 1000, ("end" - start) / 3600 FROM segments'
    return _batches(store, query)


def passage_lengths(store: Store) -> Numbers:
    """Of each passage: seconds; a batch at a time."""
    return _batches(store, 'SELECT "end" - start FROM passages')


def measured_drafts(store: Store) -> Numbers:
    """Of each checked draft: score, characters a second, compression; a batch at a time."""
    query = """SELECT v.score, c.characters_per_second, c.compression FROM checks c
               JOIN passages p ON p.id = c.passage LEFT JOIN verdicts v ON v.passage = c.passage"""
    return _batches(store, query)


def _batches(store: Store, query: str) -> Numbers:
    cursor = store._connection.cursor()
    cursor.row_factory = None
    cursor.execute(query)
    while rows := cursor.fetchmany(BATCH):
        yield rows


def candidates_by_quality(store: Store, groups: int, each: int) -> list[tuple[int, str, str]]:
    """Passages ranked by signal-to-noise ratio and cut into equal groups: `each` of every group, with the group's
    number and the recording."""
    # The product scatters: within a group, neither the first recording nor its first minute is favoured.
    rows = store._connection.execute(
        """SELECT tile, id, recording FROM (
               SELECT *, row_number() OVER (PARTITION BY tile ORDER BY scattered, id) AS place FROM (
                   SELECT id, recording, ntile(?) OVER (ORDER BY snr_db DESC, id) AS tile,
                          CAST(start * 1000 AS INTEGER) * 48271 % 65521 AS scattered FROM passages))
           WHERE place <= ? ORDER BY tile, place""",
        (groups, each),
    )
    return [(row[0], row[1], row[2]) for row in rows]
