"""The items of a stage, whatever it takes: files, recordings or passages."""

from __future__ import annotations

from pathlib import Path

from aramega.records import DraftedPassage, SegmentedRecording, Source
from aramega.stages.base import Takes
from aramega.store.database import Store
from aramega.store.drafts import load_drafted
from aramega.store.recordings import load_recording, load_summarized
from aramega.store.sources import revive_source


def load_item(store: Store, takes: Takes, item: str) -> Source | SegmentedRecording | DraftedPassage:
    """All that a stage may read of an item."""
    if takes is Takes.SOURCE:
        row = store.connection.execute("SELECT path, metadata FROM sources WHERE path = ?", (item,)).fetchone()
        return revive_source(row["path"], row["metadata"])
    return load_summarized(store, item) if takes is Takes.RECORDING else load_drafted(store, item)


def items_made_ready(store: Store, item: str, made_by: Takes, takes: Takes) -> list[str]:
    """The items of kind `takes` that a result for `item` may have made ready."""
    if made_by is takes:
        return [item]
    recording = _recording_of(store, item, made_by)
    if not recording:
        return []
    return [recording] if takes is Takes.RECORDING else passage_ids(store, recording)


def passage_ids(store: Store, recording: str) -> list[str]:
    """The ids of a recording's passages, in the order of time."""
    query = "SELECT id FROM passages WHERE recording = ? ORDER BY start"
    return [row[0] for row in store.connection.execute(query, (recording,))]


def passage_seconds(store: Store, item: str) -> float:
    """How long the passage is that a draft is of; 0 for what is no passage."""
    row = store.connection.execute('SELECT "end" - start FROM passages WHERE id = ?', (item,)).fetchone()
    return float(row[0]) if row else 0.0


def name_of(store: Store, takes: Takes, item: str) -> str:
    """What a curator calls an item: the file's name."""
    if takes is Takes.SOURCE:
        return Path(item).name if "/" in item else item
    recording = _recording_of(store, item, takes)
    return load_recording(store, recording).name if recording else item


def name_of_any(store: Store, item: str) -> str:
    """The same where nobody says what the item is."""
    for takes, table in ((Takes.RECORDING, "recordings"), (Takes.PASSAGE, "passages")):
        if store.connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (item,)).fetchone():  # noqa: S608
            return name_of(store, takes, item)
    return name_of(store, Takes.SOURCE, item)


def _recording_of(store: Store, item: str, takes: Takes) -> str | None:
    query = {
        Takes.SOURCE: "SELECT recording FROM sources WHERE path = ?",
        Takes.RECORDING: "SELECT ?",
        Takes.PASSAGE: "SELECT recording FROM passages WHERE id = ?",
    }[takes]
    row = store.connection.execute(query, (item,)).fetchone()
    return row[0] if row else None
