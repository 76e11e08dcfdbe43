"""Anatomy: where in a sound file the numbers stand that a parser trusts, and where its parts begin and end.

Walkers read what they are given as a lenient parser would, and stop where it makes no sense: they are also shown
files that are broken already. They know only as much of each format as it takes to break it in a telling way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Field:
    """A number in a header."""

    at: int
    size: int
    order: Literal["big", "little"]

    def read(self, content: bytes | bytearray) -> int:
        return int.from_bytes(content[self.at : self.at + self.size], self.order)

    def write(self, content: bytearray, value: int) -> None:
        content[self.at : self.at + self.size] = (value % (1 << 8 * self.size)).to_bytes(self.size, self.order)


@dataclass(frozen=True)
class Piece:
    """A chunk, atom, page, block or frame, and the field that says how long it is, where there is one."""

    start: int
    end: int
    header: int
    size: Field | None = None


@dataclass(frozen=True)
class Anatomy:
    fields: tuple[Field, ...]
    pieces: tuple[Piece, ...]


def dissect(kind: str, content: bytes) -> Anatomy:
    """What is where, in a file of this format."""
    parts = list(_WALKERS[kind](content))
    whole = len(content)
    fields = tuple(p for p in parts if isinstance(p, Field) and p.at + p.size <= whole)
    pieces = tuple(p for p in parts if isinstance(p, Piece) and p.start < p.end <= whole)
    return Anatomy(fields, pieces)


Parts = Iterator[Field | Piece]
_MOST = 400
"""Parts looked at: a broken size can make thousands of them."""


def _wav(content: bytes) -> Parts:
    yield Field(4, 4, "little")
    yield from _chunks(content, 12, len(content))


def _chunks(content: bytes, at: int, end: int) -> Parts:
    for _ in range(_MOST):
        if at + 8 > end:
            return
        name, size = content[at : at + 4], Field(at + 4, 4, "little")
        stop = min(end, at + 8 + size.read(content))
        yield size
        yield Piece(at, stop, 8, size)
        if name == b"fmt ":
            widths = (2, 2, 4, 4, 2, 2, 2, 2, 4, 4, 4, 4, 4)
            yield from _row(at + 8, stop, widths, "little")
        elif name == b"LIST":
            yield from _chunks(content, at + 12, stop)
        elif name in (b"fact", b"ds64"):
            yield from _row(at + 8, stop, (4,) * 8, "little")
        at = stop + (stop - at) % 2


def _mp3(content: bytes) -> Parts:
    at = 0
    if content[:3] == b"ID3":
        yield from (Field(3, 1, "big"), Field(5, 1, "big"), Field(6, 4, "big"))
        end = 10 + _syncsafe(content[6:10])
        at = 10
        while at + 10 < min(end, len(content)) and content[at]:
            size = Field(at + 4, 4, "big")
            stop = min(len(content), at + 10 + min(size.read(content), _syncsafe(content[at + 4 : at + 8]) or 1 << 30))
            yield from (size, Field(at + 8, 2, "big"), Field(at + 10, 1, "big"), Piece(at, stop, 10, size))
            at = stop
        at = end
    for seen, start in enumerate(frames := _mp3_frames(content, at)):
        if seen < 4:
            yield from (Field(start + i, 1, "big") for i in range(1, 6))
        yield Piece(start, frames[seen + 1] if seen + 1 < len(frames) else len(content), 4)
    for mark in (b"Xing", b"Info"):
        if (found := content.find(mark)) > 0:
            yield from _row(found + 4, found + 12, (4, 4), "big")
            yield from (Field(found + 12 + i, 4, "big") for i in range(0, 140, 4))


def _mp3_frames(content: bytes, at: int) -> list[int]:
    """Where frames seem to begin: where the first one's first two bytes stand again."""
    first = content.find(b"\xff", max(0, at))
    found: list[int] = []
    while 0 <= first < len(content) and len(found) < _MOST:
        found.append(first)
        first = content.find(content[found[0] : found[0] + 2], first + 24)
    return found


def _syncsafe(size: bytes) -> int:
    return sum((byte & 127) << 7 * i for i, byte in enumerate(reversed(size)))


def _ogg(content: bytes) -> Parts:
    at = content.find(b"OggS")
    for _ in range(_MOST):
        if at < 0:
            return
        after = content.find(b"OggS", at + 4)
        end = after if after > 0 else len(content)
        body = at + 27 + (content[at + 26] if at + 26 < end else 0)
        yield Piece(at, end, 27)
        yield from (Field(at + 4, 1, "big"), Field(at + 5, 1, "big"), Field(at + 6, 8, "little"))
        yield from (Field(at + 14, 4, "little"), Field(at + 18, 4, "little"), Field(at + 22, 4, "little"))
        yield from (Field(at + 26 + i, 1, "big") for i in range(4))
        yield from _codec_header(content, body)
        at = after


def _codec_header(content: bytes, at: int) -> Parts:
    """Numbers of the first packet of a page, where it is a header."""
    if content[at : at + 7] == b"\x01vorbis":
        yield from _row(at + 7, at + 30, (4, 1, 4, 4, 4, 4, 1, 1), "little")
    elif content[at : at + 8] == b"OpusHead":
        yield from _row(at + 8, at + 27, (1, 1, 2, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1), "little")
    elif content[at : at + 7] == b"\x03vorbis":
        yield Field(at + 7, 4, "little")
    elif content[at : at + 8] == b"OpusTags":
        yield Field(at + 8, 4, "little")
    elif content[at : at + 5] == b"\x7fFLAC":
        yield from _row(at + 5, at + 60, (1, 1, 2, 4, 1, 3, 2, 2, 3, 3, 8), "big")


_NESTING = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf", b"mvex", b"moof", b"traf", b"ilst"}
_HEADS = {b"meta": 4, b"stsd": 8, b"dref": 8, b"mp4a": 28, b"alac": 28}
"""Bytes of their own before the atoms inside."""


def _mp4(content: bytes) -> Parts:
    yield from _atoms(content, 0, len(content), 0)


def _atoms(content: bytes, at: int, end: int, depth: int) -> Parts:
    for _ in range(_MOST):
        if at + 8 > end or depth > 12:
            return
        size, name = Field(at, 4, "big"), content[at + 4 : at + 8]
        told = size.read(content)
        stop = min(end, at + told) if told >= 8 else end
        yield size
        yield Piece(at, stop, 8, size)
        head = 0 if name in _NESTING else _HEADS.get(name)
        if head is not None:
            yield from _row(at + 8, at + 8 + head, (2,) * (head // 2), "big")
            yield from _atoms(content, at + 8 + head, stop, depth + 1)
        elif name == b"esds":
            yield from _row(at + 8, stop, (1,) * 48, "big")
        elif name != b"mdat":
            yield from _row(at + 8, stop, (4,) * 24, "big")
        at = stop


def _flac(content: bytes) -> Parts:
    at = 4
    for _ in range(_MOST):
        if at + 4 > len(content):
            return
        kind, size = content[at], Field(at + 1, 3, "big")
        end = min(len(content), at + 4 + size.read(content))
        yield from (Field(at, 1, "big"), size, Piece(at, end, 4, size))
        if kind & 127 == 0:
            yield from _row(at + 4, end, (2, 2, 3, 3, 3, 1, 4), "big")
            yield Field(at + 14, 8, "big")
        elif kind & 127 == 6:
            yield from _row(at + 4, end, (4, 4), "big")
        elif kind & 127 == 4:
            yield from _row(at + 4, end, (4,) * 8, "little")
        else:
            yield from _row(at + 4, end, (8, 8, 2, 8, 8, 2), "big")
        at = end
        if kind & 128:
            break
    yield from (Field(at + i, 1, "big") for i in range(8))
    yield Piece(at, len(content), 6)


def _row(at: int, end: int, widths: tuple[int, ...], order: Literal["big", "little"]) -> Iterator[Field]:
    """Numbers of these widths, one after the other, as far as they fit."""
    for width in widths:
        if at + width > end:
            return
        yield Field(at, width, order)
        at += width


_WALKERS: dict[str, Callable[[bytes], Parts]] = {"wav": _wav, "mp3": _mp3, "ogg": _ogg, "mp4": _mp4, "flac": _flac}
