"""Shards: rows and audio as parquet files, streamed, and the same bytes for the same rows.

The clips are FLAC already, so they are copied, never decoded: a thread reads and hashes the next row group
while this one is written. Audio is neither compressed (it is), nor put in dictionaries, nor given
statistics; text is, with zstd. The `asr` configuration is the exception: its audio is cut out of the clips
and encoded anew, on all cores.

A shard is written under a temporary name and renamed, and which rows it holds follows from the plan alone.
So a run that was killed goes on with the first shard that is missing.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aramega.publish.audio import Group, clip_groups, cut_segments, read_clip, segment_groups, text_groups
from aramega.publish.configurations import Configuration
from aramega.publish.plan import Plan, rows_of
from aramega.publish.splits import SPLITS
from aramega.publish.survey import Kept
from aramega.workspace import WorkspaceFolder, whole_file

if TYPE_CHECKING:
    import pyarrow as pa

MEGABYTE = 1_000_000

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    configuration: Configuration
    split: str
    name: str
    """Its path in the dataset."""
    kept: Sequence[Kept]


def plan_shards(plan: Plan) -> list[Shard]:
    """Every file of rows there will be, in order."""
    shards = []
    for configuration in plan.configurations():
        if configuration.view_of:
            continue
        for split in SPLITS:
            parts = _parts(configuration, plan.of(configuration, split), plan.options.shard_mb * MEGABYTE)
            for number, kept in enumerate(parts):
                name = f"{configuration.name}/{split}-{number:05d}-of-{len(parts):05d}.parquet"
                shards.append(Shard(configuration, split, name, kept))
    return shards


def expected_bytes(configuration: Configuration, one: Kept) -> int:
    """About what a passage's rows take: exact for clips, an upper bound for segments cut from them."""
    return one.text_bytes + (one.clip_bytes if configuration.has_audio else 0)


def _parts(configuration: Configuration, kept: Sequence[Kept], limit: int) -> list[list[Kept]]:
    parts: list[list[Kept]] = []
    size = limit
    for one in kept:
        more = expected_bytes(configuration, one)
        if size + more > limit:
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += more
    return parts


def write_shards(plan: Plan, workspace: WorkspaceFolder, folder: Path) -> Iterator[Shard]:
    """Write the shards that are not there yet; each is given once it is whole."""
    with ThreadPoolExecutor(_cores()) as pool:
        for shard in plan_shards(plan):
            if not (folder / shard.name).exists():
                _write_shard(shard, plan, workspace, folder / shard.name, pool)
            yield shard


def _write_shard(shard: Shard, plan: Plan, workspace: WorkspaceFolder, path: Path, pool: Executor) -> None:
    import pyarrow.parquet as pq

    schema = shard.configuration.schema(plan.inventories)
    batches = (_to_batch(group, schema) for group in _row_groups(shard, plan, workspace, pool))
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


def _row_groups(shard: Shard, plan: Plan, workspace: WorkspaceFolder, pool: Executor) -> Iterator[Group]:
    limit = plan.options.row_group_mb * MEGABYTE
    spooled = plan.found.read(shard.kept)
    name = shard.configuration.name
    if not shard.configuration.has_audio:
        yield from text_groups(row for _, line in spooled for row in rows_of(name, line))
    elif name == "asr":
        lines = (line for _, line in spooled)
        yield from segment_groups(
            _in_order(pool, lambda line: cut_segments(read_clip(workspace, line), line), lines), limit
        )
    else:
        largest = max(one.clip_bytes for one in shard.kept)
        yield from clip_groups(spooled, workspace, limit, largest)


def _to_batch(group: Group, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    def column(field: pa.Field) -> pa.Array:
        if field.name != "audio":
            return pa.array([row[field.name] for row in group.rows], field.type)
        names = pa.array([f"{row['id']}.flac" for row in group.rows], pa.string())
        return pa.StructArray.from_arrays([group.audio(), names], fields=list(field.type))

    return pa.RecordBatch.from_arrays([column(field) for field in schema], schema=schema)


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


def _in_order(pool: Executor, work: Any, items: Iterable[Any]) -> Iterator[Any]:
    """`work` done on several items at once, its results in the items' order, a few ahead of the caller."""
    source = iter(items)
    coming = deque(pool.submit(work, item) for item in islice(source, 2 * _cores()))
    while coming:
        yield coming.popleft().result()
        coming.extend(pool.submit(work, item) for item in islice(source, 1))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
