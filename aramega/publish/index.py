"""The index: for each row, hashes of what it says, so that two versions can be compared without their audio.

A few bytes a row, one parquet file for each configuration with files of its own. `--dry-run` and
`aramega diff` read nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from aramega.publish.as_json import content_hash
from aramega.publish.columns import Group, columns_of
from aramega.publish.plan import Plan, rows_of
from aramega.publish.splits import SPLITS
from aramega.workspace import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

NAMES: tuple[Group, ...] = get_args(Group)
"""What a change is called, in the order of an index's columns. A change of the audio is known by its clip and times."""
CHUNK = 10_000


def index_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("id", pa.string()), ("split", pa.string()), *((name, pa.binary(8)) for name in NAMES)])


def index_row(row: type, values: Mapping[str, Any], clip: str) -> dict[str, bytes | str]:
    """What the index says of a row with these values; `clip` is the hash of the clip that its audio lies in."""
    parts: dict[str, dict[str, Any]] = {name: {} for name in NAMES}
    for column in columns_of(row):
        if column.group != "audio" and column.name in values:
            parts[column.group][column.name] = values[column.name]
    parts["audio"] = {"audio": [clip, values["recording_start"], values["recording_end"]]}
    return {"id": values["id"], **{name: content_hash(part) for name, part in parts.items()}}


def write_index(plan: Plan, folder: Path) -> list[Path]:
    """An index of every configuration with files of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = []
    schema = index_schema()
    for configuration in plan.configurations():
        if configuration.view_of:
            continue
        path = folder / "index" / f"{configuration.name}.parquet"
        with whole_file(path) as part, pq.ParquetWriter(part, schema, compression="ZSTD") as writer:
            rows = _index_rows(plan, configuration.name)
            while chunk := list(islice(rows, CHUNK)):
                writer.write_table(pa.Table.from_pylist(chunk, schema))
        written.append(path)
    return written


def _index_rows(plan: Plan, name: str) -> Iterator[dict[str, Any]]:
    configuration = next(one for one in plan.configurations() if one.name == name)
    for split in SPLITS:
        for _, line in plan.found.read(plan.of(configuration, split)):
            for row in rows_of(name, line):
                shown = {c: row[c] for c in configuration.names if c in row}
                yield {**index_row(configuration.row, shown, line["passage"]["clip"]), "split": split}


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
    found = Difference(Counter(s for s, _ in before.values()), Counter(s for s, _ in after.values()))
    for number, (split, parts) in after.items():
        if number not in before:
            found.added.append(number)
            continue
        old_split, old_parts = before[number]
        if old_split != split:
            found.moved[number] = (old_split, split)
        if old_parts != parts:
            found.changed[number] = tuple(
                name for i, name in enumerate(NAMES) if old_parts[8 * i : 8 * i + 8] != parts[8 * i : 8 * i + 8]
            )
    found.removed = [number for number in before if number not in after]
    return found


def read_index(path: Path | None) -> dict[str, tuple[str, bytes]]:
    """Each row's split and its hashes, one after the other."""
    if path is None or not path.is_file():
        return {}
    import pyarrow.parquet as pq

    rows: dict[str, tuple[str, bytes]] = {}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK):
            columns: Sequence[list[Any]] = [batch.column(name).to_pylist() for name in ("id", "split", *NAMES)]
            for number, split, *parts in zip(*columns, strict=True):
                rows[number] = (split, b"".join(parts))
    return rows
