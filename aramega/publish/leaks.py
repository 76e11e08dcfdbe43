"""Leaks: what is in one split and, by another name, in another too.

A recording, a speaker, a programme; and transcripts that say nearly the same (a jingle, an advertisement, a
headline read every hour), found by MinHash over word trigrams of the normalized text: rows of validation and
test are indexed in bands, rows of train are looked up. An index of the small splits alone keeps a million
rows of train out of memory.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from aramega.publish.splits import SPLITS
from aramega.text import normalize

HASHES, BANDS = 64, 16
"""Sixteen bands of four: a pair that shares 0.8 is missed once in 4,000, one that shares 0.5 is looked at twice in three."""


@dataclass(frozen=True)
class Said:
    """A row as this check sees it."""

    id: str
    split: str
    recording: str
    speaker: str
    programme: str
    signature: bytes


@dataclass(frozen=True)
class Leak:
    kind: str
    """recording, speaker, programme or transcript."""
    what: str
    kept: str
    """A row of the more precious split."""
    leaked: str
    """A row of the less precious one: what `drop` drops."""
    splits: tuple[str, str]

    def __str__(self) -> str:
        shown = f"the transcript of {self.kept}" if self.kind == "transcript" else f"{self.kind} {self.what}"
        return f"{shown} is in {self.splits[0]} ({self.kept}) and in {self.splits[1]} ({self.leaked})"


def signature_of(text: str) -> bytes:
    """The MinHash of a text's word trigrams; empty for a text too short to have any."""
    words = normalize(text, "asr").split()
    if len(words) < 3:
        return b""
    grams = {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}
    digests = b"".join(hashlib.blake2b(gram.encode(), digest_size=8).digest() for gram in grams)
    hashes = np.frombuffer(digests, dtype="<u8")
    # Each seed, stirred in by murmur's finalizer, puts the trigrams in an order of its own.
    mixed = hashes[:, None] ^ _seeds()
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    signature: npt.NDArray[np.uint32] = (mixed.min(axis=0) >> np.uint64(32)).astype("<u4")
    return signature.tobytes()


def find_leaks(rows: Iterable[Said], threshold: float) -> Iterator[Leak]:
    """Every row that leaks, once, beside a row it leaks into."""
    listed = sorted(rows, key=lambda row: -SPLITS.index(row.split))
    leaked: set[str] = set()
    for kind in ("recording", "speaker", "programme"):
        owner: dict[str, Said] = {}
        for row in listed:
            name = " ".join(getattr(row, kind).split()).casefold()
            first = owner.setdefault(name, row)
            if name and first.split != row.split and row.id not in leaked:
                leaked.add(row.id)
                yield Leak(kind, getattr(row, kind), first.id, row.id, (first.split, row.split))
    yield from _near_duplicates([row for row in listed if row.id not in leaked and row.signature], threshold)


def _near_duplicates(rows: Sequence[Said], threshold: float) -> Iterator[Leak]:
    """`rows` come test first, train last; each is looked up among those of other splits before it."""
    index: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        keys = _bands(row.signature)
        seen = {i for key in keys for i in index.get(key, ()) if rows[i].split != row.split}
        near = max(seen, key=lambda i: (_share(rows[i].signature, row.signature), -i), default=None)
        if near is not None and _share(rows[near].signature, row.signature) >= threshold:
            yield Leak("transcript", "", rows[near].id, row.id, (rows[near].split, row.split))
        elif row.split != "train":
            for key in keys:
                index[key].append(place)


def _bands(signature: bytes) -> list[bytes]:
    wide = len(signature) // BANDS
    return [bytes([band]) + signature[band * wide : (band + 1) * wide] for band in range(BANDS)]


def _share(first: bytes, second: bytes) -> float:
    """The share of their trigrams that two texts have in common, as their signatures estimate it."""
    return float((np.frombuffer(first, np.uint32) == np.frombuffer(second, np.uint32)).mean())


@cache
def _seeds() -> npt.NDArray[np.uint64]:
    return np.random.default_rng(20260101).integers(0, 1 << 63, HASHES, dtype=np.uint64)


def group_by_kind(leaks: Iterable[Leak]) -> Mapping[str, list[Leak]]:
    grouped: dict[str, list[Leak]] = defaultdict(list)
    for leak in leaks:
        grouped[leak.kind].append(leak)
    return grouped
