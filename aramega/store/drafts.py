"""Drafts in the store: a passage with all that is known of it, and how passages are chosen.

`--where` speaks SQLite over the view `passage_facts`, one row a passage: what a curator would ask is a
question a database answers well, and its operators are documented elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TypeVar

from aramega.records import (
    AramegaError,
    Check,
    Draft,
    DraftedPassage,
    Labels,
    Passage,
    Segment,
    Span,
    Summary,
    Timeline,
    Transcript,
    Verdict,
)
from aramega.stages.names import SEGMENT
from aramega.store.conditions import FACTS, check_condition, reading_facts_only
from aramega.store.database import Store
from aramega.store.recordings import load_recording
from aramega.store.rows import TABLES, revive
from aramega.store.sources import source_paths

R = TypeVar("R")

_MOST_KEPT = 16
"""Recordings whose music is remembered: more than are under way at a time."""


def load_drafted(store: Store, passage: str) -> DraftedPassage:
    """A passage with its recording, its segments and whatever has been drafted for it."""
    row = store.connection.execute("SELECT * FROM passages WHERE id = ?", (passage,)).fetchone()
    if row is None:
        raise AramegaError(f"{passage}: no such passage in this workspace.")
    found = revive(Passage, row)
    query = 'SELECT * FROM segments WHERE recording = ? AND start >= ? AND "end" <= ? ORDER BY start'
    inside = store.connection.execute(query, (found.recording, found.start - 1e-6, found.end + 1e-6)).fetchall()
    segments = {s["id"]: revive(Segment, s) for s in inside}
    return DraftedPassage(
        recording=load_recording(store, found.recording),
        passage=found,
        segments=tuple(segments[s] for s in found.segments if s in segments),
        draft=load_draft(store, passage),
        sources=tuple(source_paths(store, found.recording)),
        music_seconds=sum(max(0.0, min(found.end, m.end) - max(found.start, m.start)) for m in _music(store, found)),
    )


def load_draft(store: Store, passage: str) -> Draft:
    return Draft(
        transcript=_one(store, Transcript, passage),
        summary=_one(store, Summary, passage),
        labels=_one(store, Labels, passage),
        check=_one(store, Check, passage),
        verdict=_one(store, Verdict, passage),
    )


def segment_texts(store: Store, recording: str) -> dict[str, str]:
    """What was said in each segment of a recording, as far as anyone knows: settled by people, or drafted."""
    texts: dict[str, str] = {}
    query = """SELECT p.id, t.lines AS drafted, r.lines AS settled FROM passages p
               LEFT JOIN transcripts t ON t.passage = p.id
               LEFT JOIN resolved r ON r.passage = p.id AND r.reviews <> '[]'
               WHERE p.recording = ?"""
    for row in store.connection.execute(query, (recording,)):
        for line in json.loads(row["settled"] or "[]") or json.loads(row["drafted"] or "[]"):
            texts[line["segment"]] = line["text"]
    return texts


def find_passages(store: Store, where: str = "", order: str = "passage", limit: int | None = None) -> Iterator[str]:
    """The ids of the passages for which the SQL expression `where` is true; all of them if it is empty.

    They are listed before the first is given, so that the store may be written to meanwhile.
    """
    query = f"SELECT passage FROM {FACTS} WHERE ({where or '1'}\n) ORDER BY {order} LIMIT ?"  # noqa: S608
    try:
        with reading_facts_only(store.connection):
            check_condition(store.connection, where or "1")
            rows = store.connection.execute(query, (-1 if limit is None else limit,)).fetchall()
    except sqlite3.Error as error:
        raise AramegaError(
            f"--where {where!r}: {error}. It is an SQLite expression over: {', '.join(passage_columns(store))}. "
            "For example: priority > 0.5 AND dialect = 'EGY'."
        ) from None
    return (row[0] for row in rows)


def passage_columns(store: Store) -> list[str]:
    """What `find_passages` can be asked about."""
    return [row["name"] for row in store.connection.execute("PRAGMA table_info(passage_facts)")]


def _one(store: Store, kind: type[R], passage: str) -> R | None:
    row = store.connection.execute(f"SELECT * FROM {TABLES[kind].name} WHERE passage = ?", (passage,)).fetchone()  # noqa: S608
    return revive(kind, row) if row else None


def _music(store: Store, passage: Passage) -> Sequence[Span]:
    """The music in the passage's recording. Kept for the last few recordings, as long as their segments stay the same:
    passages come one after the other, and ten hours' timeline takes longer to read than a passage to summarize."""
    query = f"SELECT fingerprint, finished_at, took FROM results WHERE stage = '{SEGMENT}' AND item = ?"  # noqa: S608
    made = store.connection.execute(query, (passage.recording,)).fetchone()
    key = (passage.recording, *(made or ()))
    if key in store.music:
        return store.music[key]
    query = "SELECT * FROM timelines WHERE recording = ?"
    row = store.connection.execute(query, (passage.recording,)).fetchone()
    music = tuple(span for span in revive(Timeline, row).spans if span.kind == "music") if row else ()
    if made:
        store.music[key] = music
        if len(store.music) > _MOST_KEPT:
            del store.music[next(iter(store.music))]
    return music
