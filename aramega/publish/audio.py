"""Audio on its way from the workspace's clips into row groups, in memory that is used again and again.

A clip is read straight into the row group's own memory and hashed there; Arrow then writes from that memory.
Fresh megabytes for each clip would cost more in page faults than reading it does. Segments, which are cut
out of clips and encoded anew, are copied in.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aramega.audio.clips import encode_flac
from aramega.publish.plan import Row, rows_of
from aramega.publish.survey import Kept
from aramega.records import RATE, AramegaError
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_IN_A_GROUP = 1000
"""Text rows are small: more than this in a group and a reader who wants one row reads too many."""
SEGMENT_FLAC_LEVEL = 3
LONGEST_SEGMENT = 2 * 31 * RATE
"""Bytes: half a minute that FLAC could do nothing about."""

Memory = npt.NDArray[np.uint8]


@dataclass
class Group:
    """A row group: its rows, and the bytes of their audio one after the other in `memory`."""

    memory: Memory
    rows: list[Row] = field(default_factory=list)
    edges: list[int] = field(default_factory=lambda: [0])

    @property
    def size(self) -> int:
        return self.edges[-1]

    def is_full(self, more: int, limit: int) -> bool:
        return bool(self.rows) and (self.size + more > limit or len(self.rows) >= ROWS_IN_A_GROUP)

    def audio(self) -> pa.Array:
        """The bytes of each row, as Arrow sees them, without a copy."""
        import pyarrow as pa

        edges = pa.py_buffer(np.array(self.edges, dtype=np.int32))
        return pa.Array.from_buffers(
            pa.binary(), len(self.rows), [None, edges, pa.py_buffer(self.memory[: max(1, self.size)])]
        )


def clip_groups(
    spooled: Iterable[tuple[Kept, Row]], workspace: WorkspaceFolder, limit: int, largest: int
) -> Iterator[Group]:
    """Row groups of whole clips. At most two of them are alive at a time: one is written while the next is read."""
    memories = cycle([np.empty(limit + largest, np.uint8) for _ in range(2)])
    group = Group(next(memories))
    for kept, line in spooled:
        if group.is_full(kept.clip_bytes, limit):
            yield group
            group = Group(next(memories))
        end = group.size + kept.clip_bytes
        read_clip_into(group.memory[group.size : end], workspace, line)
        group.rows.append(line["passage"])
        group.edges.append(end)
    if group.rows:
        yield group


def segment_groups(cut: Iterable[list[tuple[Row, bytes]]], limit: int) -> Iterator[Group]:
    """Row groups of segments, as `cut_segments` gives them for a passage."""
    memories = cycle([np.empty(limit + LONGEST_SEGMENT, np.uint8) for _ in range(2)])
    group = Group(next(memories))
    for row, content in (one for rows in cut for one in rows):
        if group.is_full(len(content), limit):
            yield group
            group = Group(next(memories))
        end = group.size + len(content)
        group.memory[group.size : end] = np.frombuffer(content, np.uint8)
        group.rows.append(row)
        group.edges.append(end)
    if group.rows:
        yield group


def text_groups(rows: Iterable[Row]) -> Iterator[Group]:
    """Row groups without audio."""
    group = Group(np.empty(0, np.uint8))
    for row in rows:
        if len(group.rows) >= ROWS_IN_A_GROUP:
            yield group
            group = Group(group.memory)
        group.rows.append(row)
    if group.rows:
        yield group


def read_clip(workspace: WorkspaceFolder, line: Row) -> bytes:
    """A clip's bytes, which must be those that the workspace made."""
    content = np.empty((workspace.root / line["clip"]).stat().st_size, np.uint8)
    read_clip_into(content, workspace, line)
    return content.tobytes()


def read_clip_into(memory: Memory, workspace: WorkspaceFolder, line: Row) -> None:
    """Read a clip into memory of its size."""
    view = memoryview(memory)  # type: ignore[arg-type]  # numpy says so from Python 3.12 on only
    try:
        with (workspace.root / line["clip"]).open("rb", buffering=0) as file:
            whole = _fill(file, view) and not file.read(1)
    except FileNotFoundError:
        raise AramegaError(
            f"{line['clip']}: was there a moment ago and is gone. Bring it back, then run again."
        ) from None
    if not whole or sha256(view).hexdigest() != line["passage"]["clip"]:
        raise AramegaError(
            f"{line['clip']}: is not the clip that was built (its SHA-256 differs). Restore it, or leave it out: "
            f"--where \"passage <> '{line['passage']['id']}'\"."
        )


def _fill(file: Any, view: memoryview) -> bool:
    at = 0
    while at < len(view) and (taken := file.readinto(view[at:])):
        at += taken
    return at == len(view)


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
