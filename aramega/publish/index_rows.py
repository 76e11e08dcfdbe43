"""Rows of the index: hashes of what a published row says, one for each kind of change.

Two versions of a row differ in what their hashes differ in. They are made of JSON with sorted keys, and every version
that was ever published has them, so what goes into a hash stays as it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from aramega.publish.as_json import Hash, content_hash
from aramega.publish.columns import columns_in
from aramega.publish.configurations import Configuration


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the index keeps of a row: 64 bits for each kind of change."""

    id: str
    audio: Hash
    """Of its clip and times: a segment's audio is known by where it was cut."""
    transcription: Hash
    summary: Hash
    labels: Hash
    reviews: Hash
    verification: Hash
    about: Hash


CHANGES = tuple(field.name for field in fields(IndexRow) if field.name != "id")
"""The kinds of change, in the order of an index's columns."""


def index_row(configuration: Configuration, values: Mapping[str, Any], clip: str) -> IndexRow:
    """The index's row of a published row with these values; `clip` is the hash of the clip that its audio lies in.

    A row that was published before a column came lacks that column.
    """
    hashes = {
        change: content_hash({name: values[name] for name in names if name in values})
        for change, names in _names_by_change(configuration.row, configuration.name)
    }
    audio = content_hash({"audio": [clip, values["recording_start"], values["recording_end"]]})
    return IndexRow(id=values["id"], audio=audio, **hashes)


@cache
def _names_by_change(row: Hashable, configuration: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (change, tuple(column.name for column in columns_in(row, configuration) if column.group == change))
        for change in CHANGES
        if change != "audio"
    )
