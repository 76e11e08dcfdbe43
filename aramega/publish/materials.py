"""Materials: what the workspace holds of a recording's passages, read a recording at a time.

The store's own `load_drafted` reads one passage with its recording's whole timeline, which is right for a
stage and quadratic for a set. Here a recording costs one query for each table, and no timeline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from aramega.records import (
    Check,
    Draft,
    DraftedPassage,
    Labels,
    Recording,
    ResolvedPassage,
    Review,
    Segment,
    Summary,
    Transcript,
    Verdict,
    in_time,
)
from aramega.store import Store
from aramega.store.recordings import list_passages
from aramega.store.rows import TABLES, revive

R = TypeVar("R", Transcript, Summary, Labels, Check, Verdict, ResolvedPassage, Review)


@dataclass(frozen=True)
class Material:
    """A passage, its draft, what people said and what was settled."""

    drafted: DraftedPassage
    resolved: ResolvedPassage | None
    reviews: tuple[Review, ...]


def read_materials(store: Store, recording: Recording) -> Iterator[Material]:
    """A recording's passages in the order of time."""
    rows = store.connection.execute("SELECT * FROM segments WHERE recording = ?", (recording.id,))
    segments = {row["id"]: revive(Segment, row) for row in rows}
    transcripts, summaries = _by_passage(store, Transcript, recording), _by_passage(store, Summary, recording)
    labels, checks = _by_passage(store, Labels, recording), _by_passage(store, Check, recording)
    verdicts, resolved = _by_passage(store, Verdict, recording), _by_passage(store, ResolvedPassage, recording)
    reviews = _by_passage(store, Review, recording)
    for passage in list_passages(store, recording.id):
        draft = Draft(
            transcript=_last(transcripts, passage.id),
            summary=_last(summaries, passage.id),
            labels=_last(labels, passage.id),
            check=_last(checks, passage.id),
            verdict=_last(verdicts, passage.id),
        )
        inside = tuple(segments[s] for s in passage.segments if s in segments)
        yield Material(
            DraftedPassage(recording, passage, inside, draft),
            _last(resolved, passage.id),
            tuple(in_time(reviews.get(passage.id, ()))),
        )


def _by_passage(store: Store, kind: type[R], recording: Recording) -> dict[str, list[R]]:
    query = f"SELECT t.* FROM passages p JOIN {TABLES[kind].name} t ON t.passage = p.id WHERE p.recording = ?"  # noqa: S608
    records: dict[str, list[R]] = defaultdict(list)
    for row in store.connection.execute(query, (recording.id,)):
        records[row["passage"]].append(revive(kind, row))
    return records


def _last(records: dict[str, list[R]], passage: str) -> R | None:
    return records[passage][-1] if passage in records else None
