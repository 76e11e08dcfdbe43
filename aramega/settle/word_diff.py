"""The word diff: two texts word by word, told apart into what was changed and what was only spelt otherwise.

Words are aligned by what the `asr` profile leaves of them, so that a hamza or a comma never makes the
words after it look new. A pair that differs only in what the profile folds is `respelled`; whoever wants
to see those as changes still can, since both spellings are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from rapidfuzz.distance import LCSseq

from aramega.text import normalize
from aramega.text.normalization import DIACRITICS

LARGEST_ALIGNMENT = 20_000**2
"""Pairs of words that are aligned, at a bit each: 50 MB."""
# A lone و belongs to the word after it, as in the profile.
_WORD = re.compile(rf"و[{DIACRITICS}]*\s+\S+|\S+")

Kind = Literal["same", "cut", "added", "respelled"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the comparison: what the old text has there, and what the new one has."""

    kind: Kind
    old: str
    new: str


def compare_words(old: str, new: str) -> list[Piece]:
    """What to do to `old` to get `new`, in the order of reading; what is cut comes before what takes its place."""
    ours, theirs = _WORD.findall(old), _WORD.findall(new)
    if len(ours) * len(theirs) > LARGEST_ALIGNMENT:
        return [Piece("same", old, new)] if old == new else [Piece("cut", old, ""), Piece("added", "", new)]
    return list(_merge(_align(ours, theirs)))


def differs(pieces: Sequence[Piece]) -> bool:
    return any(map(is_change, pieces))


def is_change(piece: Piece) -> bool:
    return piece.kind in ("cut", "added")


def list_changes(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """What the old text has and the new one has in its place, change by change; empty where one has nothing."""
    return [_both(run) for changed, run in groupby(pieces, is_change) if changed]


def mark_changes(pieces: Sequence[Piece]) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """The old text and the new one, each as stretches with whether the other text lacks them."""
    stretches = [(*_both(run), changed) for changed, run in groupby(pieces, is_change)]
    return [(old, changed) for old, _, changed in stretches if old], [
        (new, changed) for _, new, changed in stretches if new
    ]


def _both(pieces: Iterable[Piece]) -> tuple[str, str]:
    listed = list(pieces)
    return " ".join(p.old for p in listed if p.old), " ".join(p.new for p in listed if p.new)


def _align(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Piece]:
    steps = LCSseq.opcodes([word_key(word) for word in ours], [word_key(word) for word in theirs])
    for same, run in groupby(steps, lambda step: step.tag == "equal"):
        parts = list(run)
        before = ours[parts[0].src_start : parts[-1].src_end]
        after = theirs[parts[0].dest_start : parts[-1].dest_end]
        if same:
            for first, other in zip(before, after, strict=True):
                yield Piece("same" if first == other else "respelled", first, other)
        else:
            for word in before:
                yield Piece("cut" if normalize(word, "asr") else "respelled", word, "")
            for word in after:
                yield Piece("added" if normalize(word, "asr") else "respelled", "", word)


def _merge(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one; respelled words stay pairs, so that each is seen beside its other form."""
    for kind, run in groupby(pieces, lambda piece: piece.kind):
        if kind == "respelled":
            yield from run
            continue
        yield Piece(kind, *_both(run))


def word_key(word: str) -> str:
    """What must be equal for two words to be the same; a sign by itself is its own key."""
    return normalize(word, "asr") or word
