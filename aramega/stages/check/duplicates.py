"""Near-duplicates: passages that say what another one said before, in a whole workspace.

Each transcript is a set of word trigrams and its MinHash signature is kept with its measures, so that a
new recording is compared with a year's archive without reading it again. Signatures that agree in a whole
band are compared in full. Bands are sorted as arrays rather than kept in dictionaries: 200,000 transcripts
take a tenth of the memory that way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from aramega.stages.check.faithfulness import plain_words

SIZE = 128
"""Values in a signature: an estimate of the share in common is good to about 0.04 at 0.8."""

Signatures = npt.NDArray[np.uint32]

_PRIME = (1 << 61) - 1


def signature(text: str) -> str:
    """The transcript's MinHash, as hexadecimal; empty where nothing was said."""
    shingles = sorted(_shingles(plain_words(text)))
    if not shingles:
        return ""
    made = _empty().copy()
    made.update_batch([s.encode() for s in shingles])
    values: Signatures = made.hashvalues.astype("<u4")
    return values.tobytes().hex()


@cache
def _empty() -> Any:
    """Copied for each transcript: drawing the permutations anew would cost as much as using them."""
    from datasketch import MinHash

    return MinHash(num_perm=SIZE, seed=1, hashfunc=crc32)


def read_signature(text: str) -> Signatures:
    return np.frombuffer(bytes.fromhex(text), "<u4")


def find_duplicates(signatures: Signatures, threshold: float) -> Iterator[tuple[int, int, float]]:
    """(row, the earliest row that it says the same as, similarity), for each row that repeats an earlier one."""
    earlier: dict[int, tuple[int, float]] = {}
    bands, rows = _bands(threshold)
    for band in range(bands):
        part = np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows])
        for first, others in _equal_rows(part):
            likeness = (signatures[others] == signatures[first]).mean(axis=1)
            for row, share in zip(others.tolist(), likeness.tolist(), strict=True):
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
    """How many bands of how many values: the fewest that miss at most one in a thousand at the threshold."""
    for rows in range(SIZE, 0, -1):
        bands = SIZE // rows
        if (1 - threshold**rows) ** bands <= 0.001:
            return bands, rows
    return SIZE, 1


def _shingles(words: Sequence[str]) -> set[str]:
    """Runs of three words; all the words where there are fewer."""
    if len(words) < 3:
        return set(words)
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


def stack(signatures: Sequence[str]) -> Any:
    return np.vstack([read_signature(s) for s in signatures]) if signatures else np.empty((0, SIZE), np.uint32)
