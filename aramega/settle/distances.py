"""Distances between what was drafted and what people wrote, and between people.

Two measures, for two questions. *How much was typed* is counted on the raw text (Unicode NFC, so that one letter
typed as two code points is no edit): a comma an annotator added is work done. *How far two people are apart* is
counted under the `asr` profile, as every error rate of ours is: a comma is no disagreement about what was said.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from aramega.text import normalize

LONGEST_COMPARED = 20_000
"""Characters of a text that are compared between people: two minutes of speech have 2,500; a pasted megabyte would
take minutes and say nothing more."""


def edit_distance(draft: str | None, final: str) -> float | None:
    """Character edits per character of the longer, 0 to 1; None where there was no draft or neither has any text."""
    if draft is None or not (draft or final):
        return None
    return Levenshtein.normalized_distance(unicodedata.normalize("NFC", draft), unicodedata.normalize("NFC", final))


def label_distance(draft: str | None, final: str) -> float | None:
    """0 for the same label and 1 for another; None where there was none."""
    return None if not draft else float(draft != final)


def cer_between(first: str, other: str) -> float:
    """The character error rate with the longer as reference, so that it is the same both ways; 0 to 1."""
    return Levenshtein.normalized_distance(_comparable(first), _comparable(other))


def choose_medoid(texts: Sequence[str]) -> int:
    """Which text is the closest to all the others; of several equally close, the last.

    Give them the oldest first: of two people who differ, neither is closer, and the later one may have seen more.
    """
    plain = [_comparable(text) for text in texts]
    apart = [sum(Levenshtein.normalized_distance(first, other) for other in plain) for first in plain]
    least = min(apart)
    return max(i for i, sum_ in enumerate(apart) if sum_ <= least + 1e-12)


def _comparable(text: str) -> str:
    return normalize(text[:LONGEST_COMPARED], "asr")
