"""The items of a stage, whatever it takes: files, recordings or passages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from aramega.records import AramegaError, DraftedPassage, Part, SegmentedRecording, Source
from aramega.stages.base import Takes
from aramega.store.database import Store
from aramega.store.passages import load_passages
from aramega.store.recordings import Recordings, load_recording, load_summarized
from aramega.store.sources import load_sources


def load_items(
    store: Store, takes: Takes, items: Sequence[str], parts: Part = Part.ALL, remembered: Recordings | None = None
) -> list[Source | SegmentedRecording | DraftedPassage]:
    """What a stage that reads these parts may read of each of its items; `remembered` as for `load_passages`."""
    if takes is Takes.SOURCE:
        return [*load_sources(store, items)]
    if takes is Takes.RECORDING:
        return [load_summarized(store, item, parts) for item in items]
    return [*load_passages(store, items, parts, remembered)]


def load_item(
    store: Store, takes: Takes, item: str, parts: Part = Part.ALL
) -> Source | SegmentedRecording | DraftedPassage:
    """What a stage may read of one item."""
    for loaded in load_items(store, takes, [item], parts):
        return loaded
    raise AramegaError(f"{item}: no such {takes.value} in this workspace.")


def items_made_ready(store: Store, items: Sequence[str], made_by: Takes, takes: Takes) -> list[str]:
    """The items of kind `takes` that results for `items` may have made ready, each once."""
    if made_by is takes:
        return [*items]
    rows = store._connection.execute(_MADE_READY[made_by, takes], (json.dumps(list(items)),))
    return list(dict.fromkeys(row[0] for row in rows if row[0]))


_MADE_READY = {
    (Takes.SOURCE, Takes.RECORDING): "SELECT s.recording FROM json_each(?) v CROSS JOIN sources s ON s.path = v.value",
    (Takes.SOURCE, Takes.PASSAGE): """SELECT p.id FROM json_each(?) v CROSS JOIN sources s ON s.path = v.value
        CROSS JOIN passages p ON p.recording = s.recording ORDER BY v.key, p.start""",
    (Takes.RECORDING, Takes.PASSAGE): """SELECT p.id FROM json_each(?) v
        CROSS JOIN passages p ON p.recording = v.value ORDER BY v.key, p.start""",
    (Takes.PASSAGE, Takes.RECORDING): """SELECT p.recording FROM json_each(?) v
        CROSS JOIN passages p ON p.id = v.value""",
}
"""From the items of a stage to those of another, by what each takes."""


def passage_ids(store: Store, recording: str) -> list[str]:
    """The ids of a recording's passages, in the order of time."""
    query = "SELECT id FROM passages WHERE recording = ? ORDER BY start"
    return [row[0] for row in store._connection.execute(query, (recording,))]


def name_of(store: Store, takes: Takes, item: str) -> str:
    """What a curator calls an item: the file's name."""
    if takes is Takes.SOURCE:
        return name_of_source(item)
    recording = _recording_of(store, item, takes)
    return load_recording(store, recording).name if recording else item


def name_of_source(path: str) -> str:
    return Path(path).name if "/" in path else path


def name_of_any(store: Store, item: str) -> str:
    """The same where nobody says what the item is."""
    for takes, table in ((Takes.RECORDING, "recordings"), (Takes.PASSAGE, "passages")):
        if store._connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (item,)).fetchone():  # noqa: S608
            return name_of(store, takes, item)
    return name_of(store, Takes.SOURCE, item)


def _recording_of(store: Store, item: str, takes: Takes) -> str | None:
    query = {
        Takes.SOURCE: "SELECT recording FROM sources WHERE path = ?",
        Takes.RECORDING: "SELECT ?",
        Takes.PASSAGE: "SELECT recording FROM passages WHERE id = ?",
    }[takes]
    row = store._connection.execute(query, (item,)).fetchone()
    return row[0] if row else None
