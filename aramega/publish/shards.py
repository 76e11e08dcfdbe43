"""Shards: rows and audio as parquet files, streamed, and the same bytes for the same rows.

The clips are FLAC already, so they are copied, never decoded: a thread reads and hashes the next row group
while this one is written. Audio is neither compressed (it is), nor put in dictionaries, nor given
statistics; text is, with zstd. The `asr` configuration is the exception: its audio is cut out of the clips
and encoded anew, on all cores.

A shard is written under a temporary name and renamed, and which rows it holds follows from the plan alone.
So a run that was killed goes on with the first shard that is missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aramega.cores import count_cores
from aramega.publish.audio import (
    ROWS_IN_A_GROUP,
    AudioGroup,
    SegmentClip,
    SegmentTimes,
    clip_groups,
    cut_segments,
    read_clip,
    segment_groups,
)
from aramega.publish.columns import known_later
from aramega.publish.configurations import Configuration
from aramega.publish.plan import Plan, row_numbers, segment_numbers
from aramega.publish.row_cache import ColumnReader
from aramega.publish.selection import SelectedPassage
from aramega.publish.splits import SPLITS
from aramega.publish.tables import PASSAGES, rows_of, segment_rows
from aramega.records import Passage
from aramega.workspace import WorkspaceFolder, whole_file

if TYPE_CHECKING:
    import pyarrow as pa

MEGABYTE = 1_000_000

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Shard:
    configuration: Configuration
    split: str
    name: str
    """Its path in the dataset."""
    passages: Sequence[SelectedPassage]


def plan_shards(plan: Plan) -> list[Shard]:
    """Every file of rows there will be, in order."""
    shards = []
    for configuration in plan.configurations():
        if configuration.view_of:
            continue
        for split in SPLITS:
            passages = plan.passages(configuration, split)
            sizes = (expected_bytes(configuration, passage) for passage in passages)
            parts = part_by_size(passages, sizes, plan.options.shard_mb * MEGABYTE)
            for number, part in enumerate(parts):
                name = f"{configuration.name}/{split}-{number:05d}-of-{len(parts):05d}.parquet"
                shards.append(Shard(configuration, split, name, part))
    return shards


def expected_bytes(configuration: Configuration, passage: SelectedPassage) -> int:
    """About what a passage's rows take: exact for clips, an upper bound for segments cut from them."""
    return passage.text_bytes + (passage.clip_bytes if configuration.has_audio else 0)


def part_by_size(items: Iterable[T], sizes: Iterable[int], limit: int) -> list[list[T]]:
    """The items in their order, in parts whose sizes add up to no more than `limit`, if one alone is not larger."""
    parts: list[list[T]] = []
    total = limit
    for item, size in zip(items, sizes, strict=True):
        if total + size > limit:
            parts.append([])
            total = 0
        parts[-1].append(item)
        total += size
    return parts


def write_shards(plan: Plan, workspace: WorkspaceFolder, folder: Path) -> Iterator[Shard]:
    """Write the shards that are not there yet; each is given once it is whole."""
    with ThreadPoolExecutor(count_cores()) as pool:
        for shard in plan_shards(plan):
            if not (folder / shard.name).exists():
                _write_shard(shard, plan, workspace, folder / shard.name, pool)
            yield shard


def _write_shard(shard: Shard, plan: Plan, workspace: WorkspaceFolder, path: Path, pool: Executor) -> None:
    import pyarrow.parquet as pq

    schema = shard.configuration.schema(plan.inventories)
    batches = _row_groups(shard, plan, workspace, schema, pool)
    plain = [name for name in _leaves(schema) if name.startswith("audio.")]
    texts = [name for name in _leaves(schema) if not name.startswith("audio.")]
    with (
        whole_file(path) as part,
        pq.ParquetWriter(
            part,
            schema,
            compression={**dict.fromkeys(plain, "NONE"), **dict.fromkeys(texts, "ZSTD")},
            use_dictionary=texts,
            write_statistics=texts,
            # A clip is a page: with the usual 1,024 values to a page, a page would be grown to a whole row group first.
            write_batch_size=1 if shard.configuration.has_audio else None,
        ) as writer,
        ThreadPoolExecutor(1) as ahead,
    ):
        for batch in _one_ahead(batches, ahead):
            writer.write_batch(batch, row_group_size=batch.num_rows)


def _row_groups(
    shard: Shard, plan: Plan, workspace: WorkspaceFolder, schema: pa.Schema, pool: Executor
) -> Iterator[pa.RecordBatch]:
    """The shard's row groups, in order."""
    columns = shard.configuration.columns
    names = [column.name for column in columns if column.value is not known_later]
    numbers = row_numbers(shard.configuration, shard.passages)
    reader = ColumnReader(plan.selection.cache.columns(rows_of(shard.configuration), numbers, names))
    if not shard.configuration.has_audio:
        while (table := reader.read(ROWS_IN_A_GROUP)) is not None:
            yield _to_batch(table, None, schema)
        return
    limit = plan.options.row_group_mb * MEGABYTE
    passages = plan.selection.cache.read(PASSAGES, (passage.number for passage in shard.passages), Passage)
    if shard.configuration.of == "segment":
        groups = segment_groups(_cut(shard, passages, plan, workspace, pool), limit)
    else:
        sizes = [passage.clip_bytes for passage in shard.passages]
        groups = clip_groups(zip(passages, sizes, strict=True), workspace, limit, max(sizes))
    for group in groups:
        yield _to_batch(reader.read(group.rows), group, schema)


def _cut(
    shard: Shard, passages: Iterator[Passage], plan: Plan, workspace: WorkspaceFolder, pool: Executor
) -> Iterator[list[SegmentClip]]:
    """The audio of each passage's segments, several passages at once."""
    numbers = chain.from_iterable(map(segment_numbers, shard.passages))
    times = plan.selection.cache.read(segment_rows(), numbers, SegmentTimes)

    def cut(work: tuple[Passage, list[SegmentTimes]]) -> list[SegmentClip]:
        passage, segments = work
        return cut_segments(read_clip(workspace, passage), passage, segments)

    works = (
        (passage, list(islice(times, selected.segments)))
        for passage, selected in zip(passages, shard.passages, strict=True)
    )
    return _in_order(pool, cut, works)


def _to_batch(table: pa.Table, group: AudioGroup | None, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a row group, those that are known from its audio among them."""
    import pyarrow as pa

    arrays = {name: table.column(name).combine_chunks() for name in table.column_names}
    if group is not None:
        paths = pa.array([f"{number}.flac" for number in arrays["id"].to_pylist()], pa.string())
        fields = list(schema.field("audio").type)
        arrays["audio"] = pa.StructArray.from_arrays([group.array(), paths], fields=fields)
        arrays.setdefault("clip", pa.array(group.hashes, pa.string()))
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _leaves(schema: pa.Schema) -> list[str]:
    """Parquet's names for the columns: a struct's fields, a list's elements."""
    names = []
    for field in schema:
        if field.name == "audio":
            names += ["audio.bytes", "audio.path"]
        else:
            names.append(f"{field.name}.list.element" if str(field.type).startswith("list") else field.name)
    return names


def _one_ahead(items: Iterator[T], executor: Executor) -> Iterator[T]:
    """`items`, the next of which is made while the caller works on this one."""
    end: Any = object()
    coming = executor.submit(next, items, end)
    while (item := coming.result()) is not end:
        coming = executor.submit(next, items, end)
        yield item


def _in_order(pool: Executor, work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """`work` done on several items at once, its results in the items' order, a few ahead of the caller."""
    source = iter(items)
    coming = deque(pool.submit(work, item) for item in islice(source, 2 * count_cores()))
    while coming:
        yield coming.popleft().result()
        coming.extend(pool.submit(work, item) for item in islice(source, 1))
