"""Error rates: WER and CER, equal to jiwer's on the normalized text.

The distance is rapidfuzz's bit-parallel Levenshtein, which is what jiwer itself uses; what we leave out is
jiwer's alignment objects. Rates are of sums (all errors over all reference words), not means of rates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from aramega.text.normalization import normalize

SCRIPTS = ("arabic", "latin")
_LETTER = re.compile(r"(?P<arabic>[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff])|[A-Za-z\u00c0-\u024f]")


def edit_counts(reference: Sequence[str], answer: Sequence[str]) -> tuple[int, int]:
    """(insertions + deletions + substitutions, length of the reference), over words or characters."""
    return Levenshtein.distance(reference, answer), len(reference)


def edit_counts_by_script(reference: Sequence[str], answer: Sequence[str]) -> dict[str, tuple[int, int]]:
    """`edit_counts` of words for each of SCRIPTS; words without a letter of either, such as numbers, belong to none.

    An error belongs to the reference's word that is missing or replaced, and otherwise to the word that was inserted.
    """
    errors, lengths = Counter[str](), Counter(map(script_of, reference))
    for edit in Levenshtein.editops(reference, answer):
        errors[script_of(answer[edit.dest_pos] if edit.tag == "insert" else reference[edit.src_pos])] += 1
    return {script: (errors[script], lengths[script]) for script in SCRIPTS}


def script_of(word: str) -> str:
    """arabic or latin, by the word's first letter of either; empty where it has none."""
    if letter := _LETTER.search(word):
        return "arabic" if letter["arabic"] else "latin"
    return ""


def wer(references: Sequence[str], answers: Sequence[str], *, profile: str = "asr") -> float:
    """Word errors for each reference word. May exceed 1; an empty reference side gives the number of inserted words."""
    pairs = _normalized(references, answers, profile)
    return _rate([edit_counts(reference.split(), answer.split()) for reference, answer in pairs])


def cer(references: Sequence[str], answers: Sequence[str], *, profile: str = "asr") -> float:
    """Character errors for each reference character, spaces counted."""
    return _rate([edit_counts(reference, answer) for reference, answer in _normalized(references, answers, profile)])


def _normalized(references: Sequence[str], answers: Sequence[str], profile: str) -> list[tuple[str, str]]:
    return [
        (normalize(reference, profile), normalize(answer, profile))
        for reference, answer in zip(references, answers, strict=True)
    ]


def _rate(counts: Sequence[tuple[int, int]]) -> float:
    errors, length = sum(e for e, _ in counts), sum(n for _, n in counts)
    return errors / length if length else float(errors)
