"""Records as rows: which table a record lives in, and how it goes in and comes out.

Columns are the record's fields by name. Numbers and strings are themselves; anything nested is JSON, so
that SQLite's json functions, and people, can read it.
"""

from __future__ import annotations

import json
import sqlite3
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from aramega.records import (
    Check,
    Labels,
    Overview,
    Passage,
    Recording,
    ResolvedPassage,
    Review,
    Segment,
    Summary,
    Timeline,
    Transcript,
    Verdict,
    from_dict,
)
from aramega.records.values import fields_of, hints_of

R = TypeVar("R")

# json.dumps makes an encoder anew for each call that wants anything unusual. This one meets the records one by one as
# it goes, since a timeline may have 15,000 spans; none of them holds itself.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=fields_of).encode


@dataclass(frozen=True)
class Table:
    name: str
    owner: str
    """The column that names the item whose result a row belongs to: a new result replaces its rows."""
    left_out: frozenset[str] = frozenset()


TABLES: dict[type, Table] = {
    # A recording's metadata comes from the manifest, through its sources, and may change without a new result.
    Recording: Table("recordings", owner="id", left_out=frozenset({"metadata"})),
    Timeline: Table("timelines", owner="recording"),
    Segment: Table("segments", owner="recording"),
    Passage: Table("passages", owner="recording"),
    Transcript: Table("transcripts", owner="passage"),
    Summary: Table("summaries", owner="passage"),
    Labels: Table("labels", owner="passage"),
    Check: Table("checks", owner="passage"),
    Verdict: Table("verdicts", owner="passage"),
    Overview: Table("overviews", owner="recording"),
    # People's words are kept whatever becomes of the passage: reviews are added and never replaced.
    Review: Table("reviews", owner="id"),
    ResolvedPassage: Table("resolved", owner="passage"),
}

DRAFTS = tuple(TABLES[kind].name for kind in (Transcript, Summary, Labels, Check, Verdict))
"""The tables of what is drafted for a passage."""
CUT = tuple((TABLES[kind].name, TABLES[kind].owner) for kind in (Recording, Timeline, Segment, Passage, Overview))
"""The tables of what is known of a recording as a whole, each with the column that holds its id."""
PEOPLE = ("reviews", "resolved", "tasks")
"""The tables of people's work, each with a column `passage`."""
BOOKS = ("results", "failures", "extras")
"""The tables with a row for each stage and item."""


def replace_rows(connection: sqlite3.Connection, kind: type, owner: str, records: Iterable[Any]) -> None:
    """Make `records` the only rows of their kind that `owner` has."""
    table, rows = TABLES[kind], list(records)
    by_key = table.owner == _columns(kind)[0]  # the first field is the key: an owner has one row at most
    if not (by_key and [getattr(record, table.owner) for record in rows] == [owner]):
        connection.execute(f"DELETE FROM {table.name} WHERE {table.owner} = ?", (owner,))  # noqa: S608
    insert_rows(connection, kind, rows)


def insert_rows(connection: sqlite3.Connection, kind: type, records: Iterable[Any]) -> int:
    """Write the records, each in place of the one with its key; how many were written."""
    return _insert(connection, kind, records, "INSERT OR REPLACE")


def add_rows(connection: sqlite3.Connection, kind: type, records: Iterable[Any]) -> None:
    """Add the records whose key is new; those that are there stay as they are."""
    _insert(connection, kind, records, "INSERT OR IGNORE")


def _insert(connection: sqlite3.Connection, kind: type, records: Iterable[Any], how: str) -> int:
    insert, values_of = _insertion(kind)
    return connection.executemany(f"{how} {insert}", map(values_of, records)).rowcount


@cache
def _insertion(kind: type) -> tuple[str, Callable[[Any], Sequence[Any]]]:
    """The statement that writes a record of this kind, and what makes its values of a record."""
    columns, nested = _columns(kind), _nested(kind)
    names, marks = ", ".join(f'"{c}"' for c in columns), ", ".join("?" * len(columns))
    fields_in_order = attrgetter(*columns)
    positions = [position for position, column in enumerate(columns) if column in nested]

    def values_of(record: Any) -> Sequence[Any]:
        values = list(fields_in_order(record))
        for position in positions:
            if (value := values[position]) is not None:
                values[position] = _to_json(value) if value else "[]"
        return values

    return f"INTO {TABLES[kind].name} ({names}) VALUES ({marks})", values_of


def revive(kind: type[R], row: sqlite3.Row, **more: Any) -> R:
    """The record a row holds; `more` gives the fields that are kept elsewhere."""
    return from_dict(kind, _plain_values(kind, row) | more)


def _plain_values(kind: type, row: sqlite3.Row) -> dict[str, Any]:
    values = dict(zip(row.keys(), row, strict=True))
    for name in _nested(kind):
        if value := values.get(name):
            values[name] = json.loads(value)
    for name in _booleans(kind):
        if name in values:
            values[name] = bool(values[name])
    return values


@cache
def _columns(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.name not in TABLES[kind].left_out)


@cache
def _nested(kind: Hashable) -> frozenset[str]:
    """The fields that SQLite can't hold as they are."""
    hints = hints_of(kind)
    return frozenset(f.name for f in fields(kind) if not _is_plain(hints[f.name]))  # type: ignore[arg-type]


def _is_plain(hint: Any) -> bool:
    """Whether a type's values are numbers, truths or text, some of a list of texts among them, or nothing."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return all(map(_is_plain, typing.get_args(hint)))
    return hint in (str, float, int, bool, type(None)) or typing.get_origin(hint) is typing.Literal


@cache
def _booleans(kind: Hashable) -> frozenset[str]:
    """SQLite has no truth of its own, only 0 and 1."""
    return frozenset(f.name for f in fields(kind) if f.type == "bool")  # type: ignore[arg-type]
