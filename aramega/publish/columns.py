"""Columns: what a column of a published dataset is, for Arrow, for `datasets`, for the card and for a reader.

A row is a frozen dataclass (`rows.py`) whose fields are its columns. Each field carries a `Column`: what it holds, what
it says, how its value is read, and what a change of it is called. Everything else derives from that: parquet schema,
index, card, desk, docs.

We write the `huggingface` metadata by hand, in the oldest form that every `datasets` from 3 on reads
(`Sequence`, which it turns into `List`), so that neither their version nor ours decides who can load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from aramega.publish.stretch import Inventories, Stretch
from aramega.records import RATE

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["string", "float64", "bool", "audio", "strings", "dialect", "emotion"]
Group = Literal["audio", "transcription", "summary", "labels", "reviews", "verification", "about"]
"""What a change of a column is called: in changelogs, in `aramega diff`, in the index."""
Value = Callable[[Stretch], object]


def known_later(_: Stretch) -> None:
    """The value of a column that is filled in when its audio is read."""


@dataclass(frozen=True)
class Column:
    kind: Kind
    help: str
    value: Value
    group: Group = "about"
    only_in: tuple[str, ...] = ()
    """The configurations that have it, of those with its row; none named: all."""
    desk: int = 0
    """Its place in the line of facts that the desk shows beside a passage; 0: not shown there."""
    name: str = ""


def column(
    kind: Kind, help: str, value: Value, *, group: Group = "about", only_in: tuple[str, ...] = (), desk: int = 0
) -> Any:
    """A field of a row that is a column."""
    return field(metadata={"column": Column(kind, help, value, group, only_in, desk)})


@cache
def columns_of(row: Hashable) -> tuple[Column, ...]:
    """A row's columns in their order."""
    return tuple(replace(f.metadata["column"], name=f.name) for f in fields(row))  # type: ignore[arg-type]


@cache
def columns_in(row: Hashable, configuration: str) -> tuple[Column, ...]:
    """Those of a row's columns that a configuration has."""
    return tuple(column for column in columns_of(row) if not column.only_in or configuration in column.only_in)


def is_row(kind: Hashable) -> bool:
    """Whether a dataclass is a row, whose fields are columns."""
    return all("column" in f.metadata for f in fields(kind))  # type: ignore[arg-type]


@cache
def cached_names(row: Hashable) -> tuple[str, ...]:
    """The columns whose values are known before any audio is read."""
    return tuple(column.name for column in columns_of(row) if column.value is not known_later)


def shown_on_the_desk(columns: Iterable[Column]) -> list[Column]:
    """The columns of the line of facts beside a passage, in the order of that line."""
    return sorted((column for column in columns if column.desk), key=lambda column: column.desk)


def arrow_schema(columns: Iterable[Column], inventories: Inventories) -> pa.Schema:
    """The columns as Arrow has them, and, for `datasets`, what they mean."""
    import pyarrow as pa

    listed = tuple(columns)
    features = {column.name: _feature(column, inventories) for column in listed}
    metadata = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema([(c.name, arrow_type(c.kind)) for c in listed], metadata={"huggingface": metadata})


def arrow_type(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    if kind == "audio":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    types = {"string": pa.string(), "float64": pa.float64(), "bool": pa.bool_(), "strings": pa.list_(pa.string())}
    return types.get(kind, pa.int64())  # a class is its number


def _feature(column: Column, inventories: Inventories) -> dict[str, Any]:
    if column.kind == "audio":
        return {"sampling_rate": RATE, "_type": "Audio"}
    if column.kind == "strings":
        return {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"}
    if column.kind in inventories:
        return {"names": list(inventories[column.kind]), "_type": "ClassLabel"}
    return {"dtype": column.kind, "_type": "Value"}


def card_feature(column: Column, inventories: Inventories) -> dict[str, Any]:
    """The column as the YAML of a card declares it."""
    if column.kind == "audio":
        return {"name": column.name, "dtype": {"audio": {"sampling_rate": RATE}}}
    if column.kind == "strings":
        return {"name": column.name, "sequence": "string"}
    if column.kind in inventories:
        names = {str(place): label for place, label in enumerate(inventories[column.kind])}
        return {"name": column.name, "dtype": {"class_label": {"names": names}}}
    return {"name": column.name, "dtype": column.kind}


TYPE_NAMES: Mapping[Kind, str] = {
    "string": "string",
    "float64": "number",
    "bool": "bool",
    "audio": "audio",
    "strings": "list of strings",
    "dialect": "class",
    "emotion": "class",
}
"""A column's type, for people."""
