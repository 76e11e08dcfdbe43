"""The row cache: what was read of the workspace, as columns, in Arrow files beside what is being published.

A record is encoded once, when its passage is read from the database. Whoever needs it again reads the columns it
needs, a batch at a time: shards take columns as they are, without making a Python value of any; statistics and card
ask for records. So the database is read once, and memory stays flat whatever the size of the set.
"""

from __future__ import annotations

import shutil
import types
import typing
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aramega.publish.as_json import Hash
from aramega.publish.columns import cached_names, is_row

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 250
"""Records in a batch: about a megabyte, the least that is read at a time."""

R = TypeVar("R")
P = TypeVar("P")


@dataclass(frozen=True)
class Table(Generic[R]):
    """Records of one kind, numbered in the order they were added in."""

    name: str
    kind: type[R]


class RowCacheWriter:
    """Adds records to a new cache, a batch at a time. Tables that get no record have no file."""

    def __init__(self, folder: Path) -> None:
        remove_cache(folder)
        folder.mkdir(parents=True)
        self.folder = folder
        self._waiting: dict[Table[Any], list[Any]] = {}
        self._counts: dict[Table[Any], int] = {}
        self._files: dict[Table[Any], pa.ipc.RecordBatchFileWriter] = {}

    def __enter__(self) -> RowCacheWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for table in self._waiting:
            self._write_batch(table)
        for file in self._files.values():
            file.close()

    def count(self, table: Table[R]) -> int:
        """How many records the table has: the next one's number."""
        return self._counts.get(table, 0)

    def add(self, table: Table[R], record: R | None) -> None:
        """Add a record, or, to keep the numbers of two tables in step, that there is none."""
        waiting = self._waiting.setdefault(table, [])
        waiting.append(record)
        self._counts[table] = self.count(table) + 1
        if len(waiting) == BATCH:
            self._write_batch(table)

    def _write_batch(self, table: Table[Any]) -> None:
        import pyarrow as pa

        records = self._waiting[table]
        if not records:
            return
        schema = _schema(table.kind)  # type: ignore[arg-type]
        arrays = [pa.array([getattr(record, field.name, None) for record in records], field.type) for field in schema]
        if table not in self._files:
            self._files[table] = pa.ipc.new_file(_path(self.folder, table), schema)
        self._files[table].write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
        records.clear()


@dataclass(frozen=True)
class RowCache:
    """A finished cache; any thread may read it."""

    folder: Path

    def columns(self, table: Table[R], numbers: Iterable[int], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """These columns of the records with these numbers, in the numbers' order, at most a batch at a time."""
        import pyarrow as pa

        schema = _schema(table.kind)  # type: ignore[arg-type]
        # Arrow gives the fields in the file's order, whatever order they are asked for in.
        included = sorted(schema.get_field_index(name) for name in names)
        path = _path(self.folder, table)
        if not path.exists():
            return
        options = pa.ipc.IpcReadOptions(included_fields=included)
        # Not mapped into memory: what was read would count as ours until somebody else needs the memory.
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source, options=options) as file:
            for number, runs in groupby(_runs(numbers), key=lambda run: run.start // BATCH):
                batch = file.get_batch(number)
                yield from (batch.slice(run.start % BATCH, len(run)) for run in runs)

    def read(self, table: Table[Any], numbers: Iterable[int], kind: type[P]) -> Iterator[P]:
        """The records with these numbers, as records of `kind`, whose fields are some of the table's; None where none
        was added, which only tables in step with another have."""
        names = _cached_fields(kind)  # type: ignore[arg-type]
        unknown = {field.name: None for field in fields(kind) if field.name not in names}  # type: ignore[arg-type]
        tuples = [name for name in names if _is_list(_arrow_type(kind, name))]  # type: ignore[arg-type]
        for batch in self.columns(table, numbers, names):
            for values in batch.to_pylist():
                for name in tuples:
                    values[name] = None if values[name] is None else tuple(values[name])
                yield kind(**unknown, **values)


class ColumnReader:
    """Reads columns from the front, as many rows at a time as the reader asks for."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._left: pa.RecordBatch | None = None

    def read(self, rows: int) -> pa.Table | None:
        """The next rows, fewer at the end; None after it."""
        import pyarrow as pa

        parts = []
        while rows and (batch := self._left or next(self._batches, None)) is not None:
            parts.append(batch.slice(0, rows))
            self._left = batch.slice(rows) if batch.num_rows > rows else None
            rows -= parts[-1].num_rows
        return pa.Table.from_batches(parts).combine_chunks() if parts else None


def _runs(numbers: Iterable[int]) -> Iterator[range]:
    """The numbers in their order, as runs of consecutive ones that lie in one batch each."""
    first = last = -1
    for number in numbers:
        if number != last + 1 or number % BATCH == 0 or first < 0:
            if first >= 0:
                yield range(first, last + 1)
            first = number
        last = number
    if first >= 0:
        yield range(first, last + 1)


def remove_cache(folder: Path) -> None:
    """Remove a cache, also the single file that older versions kept there."""
    if folder.is_dir():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


def _path(folder: Path, table: Table[Any]) -> Path:
    return folder / f"{table.name}.arrow"


@cache
def _schema(kind: Hashable) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, _arrow_type(kind, name)) for name in _cached_fields(kind)])


@cache
def _cached_fields(kind: Hashable) -> tuple[str, ...]:
    return cached_names(kind) if is_row(kind) else tuple(field.name for field in fields(kind))  # type: ignore[arg-type]


@cache
def _arrow_type(kind: Hashable, name: str) -> pa.DataType:
    """Arrow's type for a field of a record: a number, a truth, text, a hash, or a tuple of text."""
    import pyarrow as pa

    hint = typing.get_type_hints(kind)[name]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return pa.list_(pa.string())
    return {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_(), Hash: pa.binary(8)}[hint]


def _is_list(type_: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(type_))
