"""The index: for each row, hashes of what it says, so that two versions can be compared without their audio.

A few bytes a row, one parquet file for each configuration with files of its own. `--dry-run` and
`aramega diff` read nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aramega.publish.configurations import Configuration
from aramega.publish.index_rows import CHANGES
from aramega.publish.plan import Plan, row_numbers
from aramega.publish.row_cache import ColumnReader
from aramega.publish.splits import SPLITS
from aramega.publish.tables import index_rows
from aramega.workspace import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 10_000


def index_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("id", pa.string()), ("split", pa.string()), *((name, pa.binary(8)) for name in CHANGES)])


def write_index(plan: Plan, folder: Path) -> list[Path]:
    """Write an index of every configuration with files of its own."""
    import pyarrow.parquet as pq

    written = []
    schema = index_schema()
    for configuration in plan.configurations():
        if configuration.view_of:
            continue
        path = folder / "index" / f"{configuration.name}.parquet"
        with whole_file(path) as part, pq.ParquetWriter(part, schema, compression="ZSTD") as writer:
            reader = ColumnReader(_index_batches(plan, configuration, schema))
            while (chunk := reader.read(CHUNK)) is not None:
                writer.write_table(chunk)
        written.append(path)
    return written


def _index_batches(plan: Plan, configuration: Configuration, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The index's rows of a configuration, each with its split."""
    import pyarrow as pa

    for split in SPLITS:
        numbers = row_numbers(configuration, plan.passages(configuration, split))
        for batch in plan.selection.cache.columns(index_rows(configuration), numbers, ("id", *CHANGES)):
            splits = pa.array([split] * batch.num_rows, pa.string())
            hashes = [batch.column(name) for name in CHANGES]
            yield pa.RecordBatch.from_arrays([batch.column("id"), splits, *hashes], schema=schema)


@dataclass
class Difference:
    """What one configuration has that another version of it has not."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    """Rows by split."""
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By id: in what."""
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By id: from which split to which. Publishing never moves a row."""

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.moved)

    def in_what(self) -> Counter[str]:
        """How many rows changed in their audio, their transcription, …"""
        return Counter(name for names in self.changed.values() for name in names)


def compare(old: Mapping[str, Path], new: Mapping[str, Path]) -> dict[str, Difference]:
    """By configuration: the difference between two versions' indexes."""
    return {name: compare_files(old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())}


def compare_files(old: Path | None, new: Path | None) -> Difference:
    before, after = read_index(old), read_index(new)
    difference = Difference(Counter(s for s, _ in before.values()), Counter(s for s, _ in after.values()))
    for number, (split, parts) in after.items():
        if number not in before:
            difference.added.append(number)
            continue
        old_split, old_parts = before[number]
        if old_split != split:
            difference.moved[number] = (old_split, split)
        if old_parts != parts:
            difference.changed[number] = tuple(
                name for i, name in enumerate(CHANGES) if old_parts[8 * i : 8 * i + 8] != parts[8 * i : 8 * i + 8]
            )
    difference.removed = [number for number in before if number not in after]
    return difference


def read_index(path: Path | None) -> dict[str, tuple[str, bytes]]:
    """Each row's split and its hashes, one after the other."""
    if path is None or not path.is_file():
        return {}
    import pyarrow.parquet as pq

    rows: dict[str, tuple[str, bytes]] = {}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK):
            columns: Sequence[list[Any]] = [batch.column(name).to_pylist() for name in ("id", "split", *CHANGES)]
            for number, split, *parts in zip(*columns, strict=True):
                rows[number] = (split, b"".join(parts))
    return rows
