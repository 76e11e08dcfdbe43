"""Audio on its way from the workspace's clips into row groups, in memory that is used again and again.

A clip is read straight into the row group's own memory and hashed there; Arrow then writes from that memory.
Fresh megabytes for each clip would cost more in page faults than reading it does. Segments, which are cut
out of clips and encoded anew, are copied in.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aramega.audio.clips import encode_flac
from aramega.records import RATE, AramegaError, Passage
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_IN_A_GROUP = 1000
"""Text rows are small: more than this in a group and a reader who wants one row reads too many."""
SEGMENT_FLAC_LEVEL = 3
LONGEST_SEGMENT = 2 * 31 * RATE
"""Bytes: half a minute that FLAC could do nothing about."""

Memory = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class SegmentTimes:
    """Where a segment lies in its recording, in seconds."""

    recording_start: float
    recording_end: float


@dataclass(frozen=True)
class SegmentClip:
    """A segment's own audio, and its hash."""

    content: bytes
    sha256: str


@dataclass
class AudioGroup:
    """The audio of a row group: bytes one after the other in `memory`, and where those of each row end."""

    memory: Memory
    edges: list[int] = field(default_factory=lambda: [0])
    hashes: list[str] = field(default_factory=list)
    """Of segments, whose audio nobody has hashed before."""

    @property
    def rows(self) -> int:
        return len(self.edges) - 1

    @property
    def size(self) -> int:
        return self.edges[-1]

    def is_full(self, more: int, limit: int) -> bool:
        return self.rows > 0 and (self.size + more > limit or self.rows >= ROWS_IN_A_GROUP)

    def add(self, size: int) -> Memory:
        """The memory of the next row, which has this size."""
        end = self.size + size
        self.edges.append(end)
        return self.memory[end - size : end]

    def array(self) -> pa.Array:
        """The bytes of each row, as Arrow sees them, without a copy."""
        import pyarrow as pa

        edges = pa.py_buffer(np.array(self.edges, dtype=np.int32))
        content = pa.py_buffer(self.memory[: max(1, self.size)])
        return pa.Array.from_buffers(pa.binary(), self.rows, [None, edges, content])


def clip_groups(
    clips: Iterable[tuple[Passage, int]], workspace: WorkspaceFolder, limit: int, largest: int
) -> Iterator[AudioGroup]:
    """Row groups of whole clips, which have these sizes. At most two groups are alive at a time: one is written while
    the next is read."""
    memories = cycle([np.empty(limit + largest, np.uint8) for _ in range(2)])
    group = AudioGroup(next(memories))
    for passage, size in clips:
        if group.is_full(size, limit):
            yield group
            group = AudioGroup(next(memories))
        read_clip_into(group.add(size), workspace, passage)
    if group.rows:
        yield group


def segment_groups(cut: Iterable[Sequence[SegmentClip]], limit: int) -> Iterator[AudioGroup]:
    """Row groups of segments, as `cut_segments` gives them for a passage."""
    memories = cycle([np.empty(limit + LONGEST_SEGMENT, np.uint8) for _ in range(2)])
    group = AudioGroup(next(memories))
    for clip in (clip for clips in cut for clip in clips):
        if group.is_full(len(clip.content), limit):
            yield group
            group = AudioGroup(next(memories))
        group.add(len(clip.content))[:] = np.frombuffer(clip.content, np.uint8)
        group.hashes.append(clip.sha256)
    if group.rows:
        yield group


def read_clip(workspace: WorkspaceFolder, passage: Passage) -> bytes:
    """A clip's bytes, which must be those that the workspace made."""
    content = np.empty((workspace.root / passage.clip).stat().st_size, np.uint8)
    read_clip_into(content, workspace, passage)
    return content.tobytes()


def read_clip_into(memory: Memory, workspace: WorkspaceFolder, passage: Passage) -> None:
    """Read a clip into memory of its size."""
    view = memoryview(memory)  # type: ignore[arg-type]  # numpy says so from Python 3.12 on only
    try:
        with (workspace.root / passage.clip).open("rb", buffering=0) as file:
            whole = _fill(file, view) and not file.read(1)
    except FileNotFoundError:
        raise AramegaError(
            f"{passage.clip}: was there a moment ago and is gone. Bring it back, then run again."
        ) from None
    if not whole or sha256(view).hexdigest() != passage.clip_sha256:
        raise AramegaError(
            f"{passage.clip}: is not the clip that was built (its SHA-256 differs). Restore it, or leave it out: "
            f"--where \"passage <> '{passage.id}'\"."
        )


def _fill(file: Any, view: memoryview) -> bool:
    at = 0
    while at < len(view) and (taken := file.readinto(view[at:])):
        at += taken
    return at == len(view)


def cut_segments(clip: bytes, passage: Passage, segments: Iterable[SegmentTimes]) -> list[SegmentClip]:
    """The segments' own stretches of their passage's clip, encoded anew."""
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(clip), dtype="int16")
    if rate != RATE:
        raise AramegaError(f"{passage.clip}: is {rate} Hz and not {RATE}: not one of our clips.")
    clips = []
    for segment in segments:
        first, last = (round((at - passage.start) * RATE) for at in (segment.recording_start, segment.recording_end))
        content = encode_flac(samples[max(0, first) : last], level=SEGMENT_FLAC_LEVEL)
        clips.append(SegmentClip(content, sha256(content).hexdigest()))
    return clips
