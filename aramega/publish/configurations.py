"""Configurations: what `load_dataset(…, name)` can be asked for, and the columns that each of them has.

A configuration shows some of the columns of one kind of row. `dialect` and `emotion` are views: the same files as
`ssum`, fewer columns, only rows that have the label, so that no audio is stored or downloaded thrice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aramega.publish.columns import Column, arrow_schema, columns_in
from aramega.publish.rows import ROW_TYPES
from aramega.publish.stretch import Inventories

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Configuration:
    name: str
    of: Literal["passage", "segment", "raw"]
    """What a row of it tells of."""
    help: str
    tasks: tuple[str, ...] = ()
    """The Hub's names for what it is for."""
    view_of: str = ""
    """The configuration whose files it reads, if it has none of its own."""
    label: str = ""
    """For a view: the column that must not be null."""

    @property
    def row(self) -> type:
        row: type = getattr(ROW_TYPES, self.of)
        return row

    @property
    def columns(self) -> tuple[Column, ...]:
        return columns_in(self.row, self.name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def has_audio(self) -> bool:
        return "audio" in self.names

    def schema(self, inventories: Inventories) -> pa.Schema:
        return arrow_schema(self.columns, inventories)


CONFIGURATIONS: Mapping[str, Configuration] = {
    configuration.name: configuration
    for configuration in (
        Configuration(
            "ssum",
            "passage",
            "a passage's audio and its summary",
            ("summarization", "automatic-speech-recognition"),
        ),
        Configuration(
            "asr",
            "segment",
            "a segment's audio, at most 30 s, and its transcript",
            ("automatic-speech-recognition",),
        ),
        Configuration(
            "dialect",
            "passage",
            "a passage's audio and its dialect",
            ("audio-classification",),
            view_of="ssum",
            label="dialect",
        ),
        Configuration(
            "emotion",
            "passage",
            "a passage's audio and its emotion",
            ("audio-classification",),
            view_of="ssum",
            label="emotion",
        ),
        Configuration("text_summ", "passage", "a transcript and its summary, without audio", ("summarization",)),
        Configuration("raw", "raw", "drafts and reviews, for research on annotation; only where it is asked for"),
    )
}
