"""Near-duplicates: transcripts that say nearly the same (a jingle, an advertisement, a headline read every hour).

A transcript is a set of word trigrams under the `asr` profile. Its signature (MinHash: the least of the set's hashes
in each of 128 random orders) estimates the share of trigrams that two transcripts have in common, and is kept, so that
a new recording is compared with a year's archive without reading it again. Candidates are the pairs whose signatures
agree in a whole band. The check stage and publishing both ask here, so a pair is near for both or for neither.

Signatures are those of datasketch's `MinHash(num_perm=128, seed=1, hashfunc=crc32)`, value for value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

from aramega.text.normalization import normalize

SIZE = 128
"""Values in a signature: an estimate of the share in common is good to about 0.04 at 0.8."""
MISSED = 0.001
"""Of pairs that share exactly the threshold, so many are in no band together."""

Signatures = npt.NDArray[np.uint32]


def signature(text: str) -> bytes:
    """The transcript's signature; empty where nothing was said."""
    shingles = _shingles(normalize(text, "asr").split())
    if not shingles:
        return b""
    hashes = np.fromiter((crc32(s.encode()) for s in shingles), np.uint32, len(shingles))
    hashes = _mix(hashes)[:, None]
    factors, offsets = _orders()
    least: Signatures = (hashes * factors + offsets).min(axis=0)
    return least.astype("<u4", copy=False).tobytes()


def stack(signatures: Sequence[bytes]) -> Signatures:
    """One row for each signature."""
    return np.frombuffer(b"".join(signatures), "<u4").reshape(len(signatures), SIZE)


def likeness(first: bytes, second: bytes) -> float:
    """The share of their trigrams that two transcripts have in common, as their signatures estimate it."""
    return float((np.frombuffer(first, "<u4") == np.frombuffer(second, "<u4")).mean())


def band_keys(signature: bytes, threshold: float) -> list[bytes]:
    """What two signatures have in common if they agree in a band: the band's number and its values."""
    bands, rows = _bands(threshold)
    width = 4 * rows
    return [bytes([band]) + signature[band * width : (band + 1) * width] for band in range(bands)]


def find_duplicates(signatures: Signatures, threshold: float) -> Iterator[tuple[int, int, float]]:
    """(row, the earliest row that it says the same as, likeness), for each row that repeats an earlier one.

    Bands are sorted as arrays rather than kept in dictionaries: 200,000 transcripts take a tenth of the memory so.
    """
    earlier: dict[int, tuple[int, float]] = {}
    bands, rows = _bands(threshold)
    for band in range(bands):
        part = np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows])
        for first, others in _equal_rows(part):
            shares = (signatures[others] == signatures[first]).mean(axis=1)
            for row, share in zip(others.tolist(), shares.tolist(), strict=True):
                if share >= threshold and (row not in earlier or first < earlier[row][0]):
                    earlier[row] = (int(first), float(share))
    for row in sorted(earlier):
        first, share = earlier[row]
        yield row, _root(first, earlier), share


def _root(row: int, earlier: dict[int, tuple[int, float]]) -> int:
    while row in earlier:
        row = earlier[row][0]
    return row


def _equal_rows(part: Signatures) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Groups of rows that are the same: the first of each, and the others in order."""
    keys = part.view(np.dtype((np.void, part.dtype.itemsize * part.shape[1]))).ravel()
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    begins = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    ends = np.append(begins[1:], len(ranked))
    for begin, end in zip(begins[ends - begins > 1], ends[ends - begins > 1], strict=True):
        group = order[begin:end]  # a stable sort leaves equal rows in their order
        yield int(group[0]), group[1:]


@cache
def _bands(threshold: float) -> tuple[int, int]:
    """How many bands of how many values: the widest that miss at most one in a thousand at the threshold."""
    for rows in range(SIZE, 0, -1):
        bands = SIZE // rows
        if (1 - threshold**rows) ** bands <= MISSED:
            return bands, rows
    return SIZE, 1


def _shingles(words: Sequence[str]) -> set[str]:
    """Runs of three words; all the words where there are fewer."""
    if len(words) < 3:
        return set(words)
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


def _mix(hashes: Signatures) -> Signatures:
    """MurmurHash3's finalizer: crc32 is linear, and the orders below are too."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    mixed: Signatures = hashes ^ (hashes >> np.uint32(16))
    return mixed


@cache
def _orders() -> tuple[Signatures, Signatures]:
    """The 128 orders, h -> factor * h + offset modulo 2**32: an odd factor moves no two hashes to one place."""
    draw = np.random.RandomState(1)
    factors = draw.randint(0, 1 << 31, SIZE, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, draw.randint(0, 1 << 32, SIZE, dtype=np.uint32)
