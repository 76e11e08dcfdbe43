"""Passages loaded from the store, many at a time and only the parts that are asked for.

One loader serves stages, review, settling, publishing and the report. It asks one statement for each part and batch of
passages, however many they are. Who goes through a whole workspace calls `iterate_passages`, which holds one batch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from aramega.records import (
    AramegaError,
    Check,
    Draft,
    DraftedPassage,
    Labels,
    Part,
    Passage,
    Segment,
    Span,
    Summary,
    Timeline,
    Transcript,
    Verdict,
    from_dict,
)
from aramega.stages.names import SEGMENT
from aramega.store.database import Store
from aramega.store.recordings import Recordings, load_recordings
from aramega.store.rows import TABLES, revive

R = TypeVar("R")

LOADED = 200
"""Passages to a batch: some megabytes where transcripts have words with times."""
_MOST_KEPT = 16
"""Recordings whose music is remembered: more than are under way at a time."""


def iterate_passages(store: Store, passages: Iterable[str], parts: Part = Part.ALL) -> Iterator[DraftedPassage]:
    """Any number of passages, in the order they are named, a batch in memory; those that are gone are left out."""
    names = iter(passages)
    while batch := list(islice(names, LOADED)):
        yield from load_passages(store, batch, parts)


def load_passages(
    store: Store, passages: Sequence[str], parts: Part = Part.ALL, remembered: Recordings | None = None
) -> list[DraftedPassage]:
    """The passages with their recordings and these parts, in the order they are named; those that are gone are left
    out. Recordings that are `remembered` are not read again, and those that are read are added."""
    rows = {row["id"]: revive(Passage, row) for row in _rows(store, Passage, "id", passages)}
    named = [rows[passage] for passage in passages if passage in rows]
    recordings = {} if remembered is None else remembered
    if unread := {passage.recording for passage in named} - recordings.keys():
        recordings.update(load_recordings(store, unread))
    segments = _load_segments(store, named) if Part.SEGMENTS in parts else {}
    music = _load_music(store, named) if Part.MUSIC in parts else {}
    drafts = load_drafts(store, list(rows), parts)
    return [
        DraftedPassage(
            recording=recordings[passage.recording][0],
            passage=passage,
            segments=tuple(segments[s] for s in passage.segments if s in segments),
            draft=drafts[passage.id],
            sources=recordings[passage.recording][1],
            music_seconds=_overlap(passage, music.get(passage.recording, ())),
        )
        for passage in named
    ]


def load_drafted(store: Store, passage: str, parts: Part = Part.ALL) -> DraftedPassage:
    """One passage with its recording, its segments and whatever has been drafted for it."""
    for drafted in load_passages(store, [passage], parts):
        return drafted
    raise AramegaError(f"{passage}: no such passage in this workspace.")


def find_passage(store: Store, passage: str) -> Passage | None:
    """The passage alone, if it is there."""
    return next((revive(Passage, row) for row in _rows(store, Passage, "id", [passage])), None)


def load_drafts(store: Store, passages: Sequence[str], parts: Part = Part.DRAFT) -> dict[str, Draft]:
    """What has been drafted for each of the passages."""
    transcripts = _by_passage(store, Transcript, passages) if Part.TRANSCRIPT in parts else {}
    summaries = _by_passage(store, Summary, passages) if Part.SUMMARY in parts else {}
    labels = _by_passage(store, Labels, passages) if Part.LABELS in parts else {}
    checks = _by_passage(store, Check, passages) if Part.CHECK in parts else {}
    verdicts = _by_passage(store, Verdict, passages) if Part.VERDICT in parts else {}
    return {
        p: Draft(transcripts.get(p), summaries.get(p), labels.get(p), checks.get(p), verdicts.get(p)) for p in passages
    }


def load_draft(store: Store, passage: str) -> Draft:
    """What has been drafted for one passage."""
    return load_drafts(store, [passage])[passage]


def passage_lengths_by_id(store: Store) -> dict[str, float]:
    """How many seconds each passage of the workspace lasts."""
    return dict(store._connection.execute('SELECT id, "end" - start FROM passages').fetchall())


def _by_passage(store: Store, kind: type[R], passages: Sequence[str]) -> dict[str, R]:
    return {row["passage"]: revive(kind, row) for row in _rows(store, kind, "passage", passages)}


def _rows(store: Store, kind: type, column: str, values: Sequence[str]) -> sqlite3.Cursor:
    # CROSS JOIN: from the few values to their rows, by the table's key.
    query = f"SELECT t.* FROM json_each(?) v CROSS JOIN {TABLES[kind].name} t ON t.{column} = v.value"  # noqa: S608
    return store._connection.execute(query, (json.dumps(list(values)),))


def _load_segments(store: Store, passages: Sequence[Passage]) -> dict[str, Segment]:
    names = [segment for passage in passages for segment in passage.segments]
    return {row["id"]: revive(Segment, row) for row in _rows(store, Segment, "id", names)}


def _overlap(passage: Passage, spans: Sequence[Span]) -> float:
    """Seconds of the passage that the spans cover."""
    return sum((max(0.0, min(passage.end, s.end) - max(passage.start, s.start)) for s in spans), 0.0)


def _load_music(store: Store, passages: Sequence[Passage]) -> dict[str, Sequence[Span]]:
    """The music in the passages' recordings. Kept for the last few recordings, as long as their segments stay the same:
    passages come one after the other, and ten hours' timeline takes longer to read than a passage to summarize."""
    recordings = list(dict.fromkeys(passage.recording for passage in passages))
    query = f"""SELECT k.item, k.fingerprint, k.finished_at, k.took FROM json_each(?) v
                CROSS JOIN results k ON k.stage = '{SEGMENT}' AND k.item = v.value"""  # noqa: S608
    results = {row[0]: tuple(row) for row in store._connection.execute(query, (json.dumps(recordings),))}
    music = {name: store.music[key] for name in recordings if (key := results.get(name)) in store.music}
    missing = [name for name in recordings if name not in music]
    for row in _rows(store, Timeline, "recording", missing) if missing else ():
        spans = tuple(from_dict(Span, span) for span in json.loads(row["spans"]) if span["kind"] == "music")
        music[row["recording"]] = spans
        if row["recording"] in results:
            store.music[results[row["recording"]]] = spans
    while len(store.music) > max(_MOST_KEPT, len(recordings)):
        del store.music[next(iter(store.music))]
    return music
