"""Ranges: a long recording heard by several workers at once, and the proof that it makes no difference.

Each worker seeks, decodes its own range with a block more at either side, and hears it as a stretch of whole chunks.
Two neighbours thus decode the same two blocks about their border, one of them in passing and the other after a seek.
Only if they decoded the very same samples is the recording joined. Codecs that are never the same after a seek (AAC
fills in noise at random) are not tried; whatever else goes wrong, a complaint of the decoder included, sends the
recording to one worker, who does it in one pass.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from aramega.audio.channels import ChannelCounts, Samples
from aramega.audio.clips import as_floats
from aramega.audio.decode import AudioError, Decoder, Probe
from aramega.audio.frames import BLOCK, CHUNK_BLOCKS, FrameAnalyzer
from aramega.audio.table import FrameTable, Stretch, join_stretches
from aramega.records import RATE, Downmix

_SEEKS_EXACTLY = ("pcm_", "flac", "alac", "wavpack", "mp3")
"""Codecs whose samples are the same to the bit after a seek. (Vorbis and Opus were in some files and not in others.)"""
_RUN_UP = 2
"""Blocks decoded before a range: one for the decoder and the resampler to settle, one to listen to."""


@dataclass(frozen=True)
class Range:
    """Some chunks of a recording, in blocks, and all that is known of the file."""

    first: int
    end: int | None
    """None: to wherever the recording ends."""
    probed: Probe
    sha256: str
    size: int
    downmix: Downmix
    scratch: Path
    """Where all workers that see it put the samples, each in its place."""


@dataclass(frozen=True)
class Heard:
    """What came of a range."""

    range: Range
    stretch: Stretch
    digests: dict[int, str]
    """Of the blocks about the range's borders, by number; of none where the recording had ended."""
    channel_counts: ChannelCounts


def plan_ranges(probed: Probe, workers: int, minutes: float) -> list[tuple[int, int | None]]:
    """First and end block of each range; one range where it is not worth while, or cannot be done."""
    seconds = probed.seconds or 0.0
    chunks = int(seconds * RATE // (CHUNK_BLOCKS * BLOCK))
    wanted = min(2 * workers, int(seconds // (60 * minutes)), chunks) if minutes and workers > 1 else 1
    if wanted < 2 or probed.holds_floats or not probed.codec.startswith(_SEEKS_EXACTLY):
        return [(0, None)]
    borders = [round(i * chunks / wanted) * CHUNK_BLOCKS for i in range(wanted)]
    return [*pairwise(borders), (borders[-1], None)]


def hear_range(path: str, part: Range, *, audio_stream: int, stall_seconds: float) -> Heard:
    """Decode and hear one range, and put its samples into the scratch file."""
    analyzer = FrameAnalyzer(part.first, part.end)
    digests: dict[int, str] = {}
    begin = max(0, part.first - _RUN_UP)
    end = None if part.end is None else (part.end - begin) * BLOCK
    decoder = Decoder(
        path,
        part.probed,
        audio_stream=audio_stream,
        stall_seconds=stall_seconds,
        start=begin * BLOCK / RATE,
        downmix=part.downmix,
        counted=((part.first - begin) * BLOCK, end),
    )
    part.scratch.parent.mkdir(parents=True, exist_ok=True)
    scratch = os.open(part.scratch, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        with decoder:
            for number, block in _blocks(decoder, begin):
                if part.end is not None and number > part.end:
                    break
                if number < part.first - 1:
                    continue
                analyzer.feed(as_floats(block))
                if number in _bordering(part):
                    digests[number] = _digest(block)
                if number >= part.first and (part.end is None or number < part.end):
                    _put(scratch, block, 2 * number * BLOCK)
    finally:
        os.close(scratch)
    if decoder.complained or decoder.nonfinite or decoder.exit_code:
        raise AudioError("the decoder complained.")
    return Heard(part, analyzer.stretch(), digests, decoder.channel_counts)


def joined_table(heard: Sequence[Heard]) -> FrameTable | None:
    """The recording's table; None where a seam shows."""
    for left, right in pairwise(heard):
        border = right.range.first
        is_full = left.stretch.samples == (border - left.range.first) * BLOCK
        if not is_full or any(left.digests.get(n) != right.digests.get(n) for n in (border - 1, border)):
            return None
    return join_stretches([piece.stretch for piece in heard])


def joined_scratch(heard: Sequence[Heard]) -> Path | None:
    """The scratch file with everybody's samples; None where they were written on other machines than this."""
    scratch = heard[0].range.scratch
    samples = sum(piece.stretch.samples for piece in heard)
    try:
        with scratch.open("rb") as file:
            whole = os.fstat(file.fileno()).st_size == 2 * samples
            return scratch if whole and all(_is_there(file.fileno(), piece) for piece in heard) else None
    except FileNotFoundError:
        return None


def _blocks(decoder: Decoder, begin: int) -> Iterator[tuple[int, Samples]]:
    """The decoder's samples cut into the analyzer's blocks, numbered; the last may be shorter."""
    number, buffered = begin, b""
    for samples in decoder:
        buffered += samples.tobytes()
        for at in range(0, len(buffered) - 2 * BLOCK + 1, 2 * BLOCK):
            yield number, _samples(buffered[at : at + 2 * BLOCK])
            number += 1
        buffered = buffered[len(buffered) // (2 * BLOCK) * 2 * BLOCK :]
    if buffered:
        yield number, _samples(buffered)


def _samples(content: bytes) -> Samples:
    return np.frombuffer(content, "<i2")


def _bordering(part: Range) -> set[int]:
    """The blocks that a neighbour decodes, too."""
    before = {part.first - 1, part.first} if part.first else set()
    after = {part.end - 1, part.end} if part.end is not None else set()
    return before | after


def _digest(block: Samples) -> str:
    return hashlib.sha256(block.data).hexdigest()


def _put(file: int, block: Samples, at: int) -> None:
    content = memoryview(block.tobytes())
    while content:
        done = os.pwrite(file, content, at)
        content, at = content[done:], at + done


def _is_there(file: int, piece: Heard) -> bool:
    """Whether the file holds the range's samples: looked for at its borders, for others' places are holes."""
    own = range(piece.range.first, piece.range.end if piece.range.end is not None else piece.range.first + 1)
    places = [number for number in piece.digests if number in own]
    return all(
        hashlib.sha256(os.pread(file, 2 * BLOCK, 2 * number * BLOCK)).hexdigest() == piece.digests[number]
        for number in places
    )
