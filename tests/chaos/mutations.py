"""Mutations of sound files: header numbers made absurd, parts moved where they don't belong, bytes spoiled.

A mutant is one of the originals with one to four things done to it, drawn by a number: the same number makes the same
mutant. Some are then mended on the surface (sizes of what lies around, check sums), so that a parser believes them
and goes on to what is wrong inside.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.chaos.anatomy import Piece, dissect
from tests.chaos.originals import Originals

FORMATS = ("wav", "mp3", "ogg", "mp4", "flac")
LARGEST = 600_000
"""Bytes: parts doubled again and again must not make the fuzzer itself the trap."""
_TELLING = (0, 1, 2, 3, 7, 8, 16, 64, 127, 255, 256, 1000, 32_767, 44_100, 65_535, 96_000, 1 << 20, 1 << 24, 1 << 28)

Mutation = Callable[[random.Random, str, bytearray, Originals], bytearray]


def make_sound(kind: str, number: int, originals: Originals) -> bytes:
    """Mutant `number` of this format."""
    rng = random.Random(f"{kind}:{number}")
    content = bytearray(rng.choice(originals[kind]))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        content = rng.choices(_MUTATIONS, _WEIGHTS)[0](rng, kind, content, originals)[:LARGEST]
    if rng.random() < 0.6:
        _mend_ogg(content)
        _mend_flac(content)
    return bytes(content)


def set_numbers(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    """Header fields set to what no file means: nothing, one, the most, less than nothing, just beside."""
    fields = dissect(kind, bytes(content)).fields
    for field in rng.sample(fields, min(len(fields), rng.choice((1, 1, 1, 2, 3)))):
        old, top = field.read(content), 1 << 8 * field.size
        near = (old + 1, old - 1, 2 * old, old // 2, -old, top - 1, top - 2, top // 2, top // 2 - 1, len(content))
        field.write(content, rng.choice((*_TELLING, *near, *near, rng.randrange(top))))
    return content


def repeat_part(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    piece = _a_piece(rng, kind, content)
    times = rng.choice((1, 1, 2, 30))
    return _insert(rng, kind, content, piece.end, bytes(content[piece.start : piece.end]) * times)


def drop_part(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    piece = _a_piece(rng, kind, content)
    _grow_around(rng, kind, content, piece.start, piece.start - piece.end)
    del content[piece.start : piece.end]
    return content


def swap_parts(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    one, other = sorted((_a_piece(rng, kind, content), _a_piece(rng, kind, content)), key=lambda p: p.start)
    if one.end > other.start:
        return content
    between = content[one.end : other.start]
    content[one.start : other.end] = content[other.start : other.end] + between + content[one.start : one.end]
    return content


def nest_part(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    """A part inside itself, or inside another, down to a depth no file has."""
    outer = _a_piece(rng, kind, content)
    inner = outer if rng.random() < 0.6 else _a_piece(rng, kind, content)
    inside = bytes(content[inner.start : inner.end])
    for _ in range(rng.choice((0, 0, 1, 5))):
        inside = inside[: inner.header] + inside[: LARGEST // 2] + inside[inner.header :]
    return _insert(rng, kind, content, min(outer.start + outer.header, outer.end), inside)


def cut_off(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    """Ends early: anywhere, or within a header."""
    anywhere = rng.randrange(len(content) + 1)
    return content[: rng.choice((anywhere, anywhere, _a_piece(rng, kind, content).start + rng.randrange(12)))]


def flip_bits(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    reach = rng.choice((64, 512, len(content)))
    for _ in range(rng.choice((1, 3, 20, 200))):
        if content:
            content[rng.randrange(min(reach, len(content)))] ^= 1 << rng.randrange(8)
    return content


def spoil_stretch(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    """A stretch of zeros, ones, noise, or of what stands elsewhere."""
    start, length = rng.randrange(len(content) + 1), rng.choice((1, 4, 64, 4096))
    elsewhere = rng.randrange(len(content) + 1)
    stretch = rng.choice((b"\0" * length, b"\xff" * length, rng.randbytes(length), bytes(content[elsewhere:][:length])))
    stop = start if rng.random() < 0.3 else start + length
    content[start:stop] = stretch
    return content


def splice(rng: random.Random, kind: str, content: bytearray, originals: Originals) -> bytearray:
    """The head of one file on the body of another, of this format or of one it is often taken for."""
    other = rng.choice(originals[rng.choice((kind, *FORMATS))])
    one, two = rng.randrange(len(content) + 1), rng.randrange(len(other) + 1)
    ways = (content[:one] + other[two:], content[:one] + other, content + other, other[:two] + content[one:])
    return bytearray(rng.choice(ways))


def dress_up(rng: random.Random, kind: str, content: bytearray, _: Originals) -> bytearray:
    """Another format's first bytes before the file, or a tag at its end."""
    tag = b"ID3" + bytes((rng.choice((2, 3, 4, 255)), 0, rng.randrange(256))) + rng.randbytes(4)
    heads = (tag, b"RIFF\xff\xff\xff\xffWAVE", b"OggS", b"fLaC", b"\0\0\0\x18ftypisom", b"#EXTM3U\n", b"\0" * 5000)
    ape = b"APETAGEX" + rng.randbytes(24)
    return bytearray(rng.choice((rng.choice(heads) + content, content + ape, content + b"TAG" + b"x" * 125)))


_MUTATIONS: tuple[Mutation, ...] = (
    set_numbers,
    repeat_part,
    drop_part,
    swap_parts,
    nest_part,
    cut_off,
    flip_bits,
    spoil_stretch,
    splice,
    dress_up,
)
_WEIGHTS = (10, 2, 2, 2, 2, 2, 3, 2, 2, 1)


def _a_piece(rng: random.Random, kind: str, content: bytearray) -> Piece:
    pieces = dissect(kind, bytes(content)).pieces
    return rng.choice(pieces) if pieces else Piece(0, len(content), 0)


def _insert(rng: random.Random, kind: str, content: bytearray, at: int, more: bytes) -> bytearray:
    more = more[:LARGEST]
    _grow_around(rng, kind, content, at, len(more))
    content[at:at] = more
    return content


def _grow_around(rng: random.Random, kind: str, content: bytearray, at: int, by: int) -> None:
    """Most times, have what lies around a change say its new length, so that a parser is led to it."""
    if rng.random() < 0.3:
        return
    for piece in dissect(kind, bytes(content)).pieces:
        if piece.size and piece.start + piece.header <= at <= piece.end and piece.end - piece.start > abs(by):
            piece.size.write(content, piece.size.read(content) + by)


def _mend_ogg(content: bytearray) -> None:
    """Right check sums on all pages: without them a parser looks no further."""
    at = content.find(b"OggS")
    while at >= 0 and at + 27 <= len(content):
        segments = content[at + 26]
        end = min(at + 27 + segments + sum(content[at + 27 : at + 27 + segments]), len(content))
        content[at + 22 : at + 26] = b"\0\0\0\0"
        content[at + 22 : at + 26] = _ogg_sum(bytes(content[at:end])).to_bytes(4, "little")
        at = content.find(b"OggS", at + 4)


def _ogg_sum(page: bytes) -> int:
    total = 0
    for byte in page:
        total = (total << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[total >> 24 ^ byte]
    return total


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    made = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        made.append(value)
    return tuple(made)


_OGG_TABLE = _table(0x04C11DB7, 32)
_FLAC_TABLE = _table(0x07, 8)


def _mend_flac(content: bytearray) -> None:
    """The right check sum on the first frame's header, whose fields are what decoders believe most."""
    if content[:4] != b"fLaC":
        return
    at = content.find(b"\xff\xf8", 4)
    if at < 0 or at + 16 > len(content):
        return
    block, rate = content[at + 2] >> 4, content[at + 2] & 15
    length = 5 + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    total = 0
    for byte in content[at : at + length]:
        total = _FLAC_TABLE[total ^ byte]
    content[at + length] = total
