"""The tables of the row cache: what is kept there of each passage that is selected.

The first three tell of passages and are in step: a passage has the same number in each. The next two tell of segments
and are in step, too. An index has the numbers of the rows it tells of.
"""

from __future__ import annotations

from typing import Any

from aramega.publish.configurations import Configuration
from aramega.publish.index_rows import IndexRow
from aramega.publish.row_cache import Table
from aramega.publish.rows import ROW_TYPES, PassageRow, RawRow, SegmentRow
from aramega.records import Passage, Segment

PASSAGES = Table("passages", Passage)
SEGMENTS = Table("segments", Segment)
"""For manifests. None where the workspace no longer has the segment that a settled line was laid on."""


def passage_rows() -> Table[PassageRow]:
    return Table("passage-rows", ROW_TYPES.passage)


def raw_rows() -> Table[RawRow]:
    return Table("raw-rows", ROW_TYPES.raw)


def segment_rows() -> Table[SegmentRow]:
    return Table("segment-rows", ROW_TYPES.segment)


def rows_of(configuration: Configuration) -> Table[Any]:
    """The table whose rows a configuration shows."""
    tables: dict[str, Table[Any]] = {"passage": passage_rows(), "raw": raw_rows(), "segment": segment_rows()}
    return tables[configuration.of]


def index_rows(configuration: Configuration) -> Table[IndexRow]:
    return Table(f"index-{configuration.name}", IndexRow)
