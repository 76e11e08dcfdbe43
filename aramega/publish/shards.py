"""Shards: rows and audio as parquet files, streamed, and the same bytes for the same rows.

The clips are FLAC already, so they are copied, never decoded: a thread reads and hashes the next row group
while this one is written. Audio is neither compressed (it is), nor put in dictionaries, nor given
statistics; text is, with zstd. The `asr` configuration is the exception: its audio is cut out of the clips
and encoded anew, on all cores.

A shard is written under a temporary name and renamed, and which rows it holds follows from the plan alone.
So a run that was killed goes on with the first shard that is missing.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aramega.audio.clips import encode_flac
from aramega.publish.columns import Configuration, arrow_schema
from aramega.publish.plan import Plan, rows_of
from aramega.publish.rows import Row
from aramega.publish.splits import SPLITS
from aramega.publish.survey import Kept
from aramega.records import RATE, AramegaError
from aramega.workspace import Workspace, whole_file

if TYPE_CHECKING:
    import pyarrow as pa

MEGABYTE = 1_000_000
ROWS_IN_A_GROUP = 1000
"""Text rows are small: more than this in a group and a reader who wants one row reads too many."""
SEGMENT_FLAC_LEVEL = 3

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


def write_shards(plan: Plan, workspace: Workspace, folder: Path) -> Iterator[Shard]:
    """Write the shards that are not there yet; each is given once it is whole."""
    with ThreadPoolExecutor(_cores()) as pool:
        for shard in plan_shards(plan):
            if not (folder / shard.name).exists():
                _write_shard(shard, plan, workspace, folder / shard.name, pool)
            yield shard


def _write_shard(shard: Shard, plan: Plan, workspace: Workspace, path: Path, pool: Executor) -> None:
    import pyarrow.parquet as pq

    schema = arrow_schema(shard.configuration, plan.inventories)
    limit = plan.options.row_group_mb * MEGABYTE
    rows = _with_audio(shard, plan, workspace, pool) if shard.configuration.has_audio else _plain(shard, plan)
    batches = (_to_batch(group, schema) for group in _groups(rows, limit))
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


def _plain(shard: Shard, plan: Plan) -> Iterator[tuple[Row, bytes]]:
    for _, line in plan.found.read(shard.kept):
        for row in rows_of(shard.configuration.name, line):
            yield row, b""


def _with_audio(shard: Shard, plan: Plan, workspace: Workspace, pool: Executor) -> Iterator[tuple[Row, bytes]]:
    lines = (line for _, line in plan.found.read(shard.kept))
    if shard.configuration.name != "asr":
        for line in lines:
            yield line["passage"], read_clip(workspace, line)
        return
    for rows in _in_order(pool, lambda line: cut_segments(read_clip(workspace, line), line), lines):
        yield from rows


def read_clip(workspace: Workspace, line: Row) -> bytes:
    """A clip's bytes, which must be those that the workspace made."""
    path = workspace.root / line["clip"]
    try:
        content: bytes = path.read_bytes()
    except FileNotFoundError:
        raise AramegaError(
            f"{line['clip']}: was there a moment ago and is gone. Bring it back, then run again."
        ) from None
    if sha256(content).hexdigest() != line["passage"]["clip"]:
        raise AramegaError(
            f"{line['clip']}: is not the clip that was built (its SHA-256 differs). Restore it, or leave it out: "
            f"--where \"passage <> '{line['passage']['id']}'\"."
        )
    return content


def cut_segments(clip: bytes, line: Row) -> list[tuple[Row, bytes]]:
    """The rows of `asr`, each with its own stretch of the clip."""
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(clip), dtype="int16")
    if rate != RATE:
        raise AramegaError(f"{line['clip']}: is {rate} Hz and not {RATE}: not one of our clips.")
    cut = []
    for row in rows_of("asr", line):
        first, last = (round((row[edge] - line["start"]) * RATE) for edge in ("recording_start", "recording_end"))
        content = encode_flac(samples[max(0, first) : last], level=SEGMENT_FLAC_LEVEL)
        cut.append(({**row, "clip": sha256(content).hexdigest()}, content))
    return cut


def _groups(rows: Iterable[tuple[Row, bytes]], limit: int) -> Iterator[list[tuple[Row, bytes]]]:
    """Row groups of about `limit` bytes, and not too many rows."""
    group: list[tuple[Row, bytes]] = []
    size = 0
    for row, audio in rows:
        if group and (size + len(audio) > limit or len(group) >= ROWS_IN_A_GROUP):
            yield group
            group, size = [], 0
        group.append((row, audio))
        size += len(audio)
    if group:
        yield group


def _to_batch(group: Sequence[tuple[Row, bytes]], schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    def column(field: pa.Field) -> pa.Array:
        if field.name != "audio":
            return pa.array([row[field.name] for row, _ in group], field.type)
        content = pa.array([audio for _, audio in group], pa.binary())
        names = pa.array([f"{row['id']}.flac" for row, _ in group], pa.string())
        return pa.StructArray.from_arrays([content, names], fields=list(field.type))

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
