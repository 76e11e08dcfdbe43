"""Recordings in the store, with what is known of their inside."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from aramega.records import (
    Part,
    Passage,
    Recording,
    Repeat,
    Segment,
    SegmentedRecording,
    SummarizedRecording,
    Summary,
    Timeline,
    from_dict,
)
from aramega.stages.names import REPEATS
from aramega.store.database import Store
from aramega.store.rows import revive

Recordings = dict[str, tuple[Recording, tuple[str, ...]]]
"""Recordings by id, each with the paths its bytes are at."""
PAGE = 1000
"""Rows of a table without end are read this many at a time, so that a million of them cost no memory."""


def list_recordings(store: Store) -> Iterator[Recording]:
    """Every recording, by id."""
    query, after = f"SELECT * FROM recordings WHERE id > ? ORDER BY id LIMIT {PAGE}", ""  # noqa: S608
    while page := store._connection.execute(query, (after,)).fetchall():
        for row in page:
            yield _revive_recording(row, _named_files(store, row["id"]))
        after = page[-1]["id"]


def recording_ids(store: Store) -> list[str]:
    """The ids of all recordings, in order."""
    return [row[0] for row in store._connection.execute("SELECT id FROM recordings ORDER BY id")]


def has_recording(store: Store, recording: str) -> bool:
    """Whether there is a recording with this id."""
    query = "SELECT EXISTS (SELECT 1 FROM recordings WHERE id = ?)"
    return bool(store._connection.execute(query, (recording,)).fetchone()[0])


def load_recording(store: Store, recording: str) -> Recording:
    """A recording under the first of its names, with what all its sources say of it."""
    row = store._connection.execute("SELECT * FROM recordings WHERE id = ?", (recording,)).fetchone()
    return _revive_recording(row, _named_files(store, recording))


def load_recordings(store: Store, recordings: Collection[str]) -> Recordings:
    """Several recordings at once."""
    ids = json.dumps(sorted(recordings))
    rows = store._connection.execute(
        "SELECT r.* FROM json_each(?) v CROSS JOIN recordings r ON r.id = v.value", (ids,)
    ).fetchall()
    files: dict[str, list[tuple[str, str]]] = {row["id"]: [] for row in rows}
    query = """SELECT s.recording, s.path, s.metadata FROM json_each(?) v
               CROSS JOIN sources s ON s.recording = v.value ORDER BY s.path"""
    for recording, path, metadata in store._connection.execute(query, (ids,)):
        files[recording].append((path, metadata))
    return {
        row["id"]: (_revive_recording(row, files[row["id"]]), tuple(path for path, _ in files[row["id"]]))
        for row in rows
    }


def load_segmented(store: Store, recording: str, parts: Part = Part.ALL) -> SegmentedRecording:
    """A recording with its timeline and its segments, as far as there are any."""
    (whole, paths) = load_recordings(store, [recording])[recording]
    timeline = _load_timeline(store, recording) if Part.TIMELINE in parts else None
    segments = _load_segments(store, recording) if Part.SEGMENTS in parts else ()
    repeats = load_repeats(store, recording) if Part.REPEATS in parts else ()
    return SegmentedRecording(whole, paths, timeline, segments, repeats=repeats)


def load_summarized(store: Store, recording: str, parts: Part = Part.ALL) -> SummarizedRecording:
    """A recording with its passages and their summaries."""
    whole = load_segmented(store, recording, parts)
    return SummarizedRecording(
        recording=whole.recording,
        paths=whole.paths,
        timeline=whole.timeline,
        segments=whole.segments,
        repeats=whole.repeats,
        passages=tuple(list_passages(store, recording)) if Part.PASSAGES in parts else (),
        summaries=_load_summaries(store, recording) if Part.PASSAGES in parts else (),
    )


def list_passages(store: Store, recording: str) -> list[Passage]:
    """A recording's passages in the order of time."""
    rows = store._connection.execute("SELECT * FROM passages WHERE recording = ? ORDER BY start", (recording,))
    return [revive(Passage, row) for row in rows]


def count_recordings(store: Store) -> tuple[int, float]:
    """How many there are, and their seconds."""
    row = store._connection.execute("SELECT count(*), coalesce(sum(seconds), 0) FROM recordings").fetchone()
    return row[0], row[1]


def load_repeats(store: Store, recording: str) -> tuple[Repeat, ...]:
    """What of a recording was heard before, in order; nothing where nobody looked."""
    query = "SELECT json FROM extras WHERE stage = ? AND item = ?"
    row = store._connection.execute(query, (REPEATS, recording)).fetchone()
    return tuple(from_dict(Repeat, values) for values in json.loads(row[0])["repeats"]) if row else ()


def _load_timeline(store: Store, recording: str) -> Timeline | None:
    row = store._connection.execute("SELECT * FROM timelines WHERE recording = ?", (recording,)).fetchone()
    return revive(Timeline, row) if row else None


def _load_segments(store: Store, recording: str) -> tuple[Segment, ...]:
    rows = store._connection.execute("SELECT * FROM segments WHERE recording = ? ORDER BY start", (recording,))
    return tuple(revive(Segment, row) for row in rows)


def _load_summaries(store: Store, recording: str) -> tuple[Summary, ...]:
    query = "SELECT s.* FROM passages p JOIN summaries s ON s.passage = p.id WHERE p.recording = ? ORDER BY p.start"
    return tuple(revive(Summary, row) for row in store._connection.execute(query, (recording,)))


def _named_files(store: Store, recording: str) -> list[tuple[str, str]]:
    """The path and the metadata of each of a recording's sources, by path."""
    query = "SELECT path, metadata FROM sources WHERE recording = ? ORDER BY path"
    return [(row[0], row[1]) for row in store._connection.execute(query, (recording,))]


def _revive_recording(row: sqlite3.Row, files: Iterable[tuple[str, str]]) -> Recording:
    """What the first source says comes before what the others say."""
    ordered = list(files)
    metadata: dict[str, str] = {}
    for _, described in reversed(ordered):
        metadata |= json.loads(described)
    name = Path(ordered[0][0]).name if ordered else row["name"]
    return revive(Recording, row, metadata=metadata, name=name)
