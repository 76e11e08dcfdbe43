"""Overlap: ROUGE-1, ROUGE-2, ROUGE-L and chrF for any script.

Google's `rouge_score` drops every letter outside a-z with its default tokenizer, so that Arabic scores 0.
Ours are its formulas over `aramega.text.words`, and equal it to the last digit when it is given the same
tokenizer; the longest common subsequence is rapidfuzz's, bit-parallel, instead of a table in Python.
chrF is sacrebleu's default (character n-grams up to six, F2), split in two so that corpora can be
resampled: `chrf_counts` gives one row per pair of texts, `chrf_from_counts` the score of any sum of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from aramega.text.tokens import words

CHRF_ORDERS = 6
CHRF_BETA = 2.0
H = TypeVar("H", bound=Hashable)


class Rouge(NamedTuple):
    precision: float
    recall: float
    f: float


def rouge(reference: str, answer: str) -> dict[str, Rouge]:
    """rouge1, rouge2 and rougeL of one answer. Normalize both first; nothing is stemmed."""
    wanted, given = words(reference), words(answer)
    pairs = Counter(pairwise(wanted)), Counter(pairwise(given))
    return {
        "rouge1": _of_overlap(_shared(Counter(wanted), Counter(given)), len(wanted), len(given)),
        "rouge2": _of_overlap(_shared(*pairs), len(wanted) - 1, len(given) - 1),
        "rougeL": _of_overlap(LCSseq.similarity(wanted, given), len(wanted), len(given)),
    }


def chrf(references: Sequence[str], answers: Sequence[str]) -> float:
    """The corpus score, 0 to 100. Normalize both sides first."""
    rows = [chrf_counts(reference, answer) for reference, answer in zip(references, answers, strict=True)]
    return float(chrf_from_counts(np.array(rows, dtype=float).reshape(-1, 3 * CHRF_ORDERS).sum(axis=0)))


def chrf_counts(reference: str, answer: str) -> tuple[int, ...]:
    """n-grams of the answer, of the reference and in both, for each order. Spaces don't count."""
    wanted, given = "".join(reference.split()), "".join(answer.split())
    counts: list[int] = []
    for order in range(1, CHRF_ORDERS + 1):
        theirs, ours = _ngrams(wanted, order), _ngrams(given, order)
        # An order the reference is too short for says nothing about the answer, so it is left out on both sides.
        in_answer = max(len(given) - order + 1, 0) if theirs else 0
        counts += (in_answer, max(len(wanted) - order + 1, 0), _shared(theirs, ours))
    return tuple(counts)


def chrf_from_counts(totals: NDArray[Any]) -> NDArray[np.float64]:
    """Scores, 0 to 100, of summed rows: (..., 18) in, (...) out."""
    triples = np.asarray(totals, dtype=float).reshape(*np.shape(totals)[:-1], CHRF_ORDERS, 3)
    given, wanted, shared = np.moveaxis(triples, -1, 0)
    used = (given > 0) & (wanted > 0)
    orders = used.sum(axis=-1)
    precision = _ratio(_ratio(shared, np.where(used, given, 0)).sum(axis=-1), orders)
    recall = _ratio(_ratio(shared, np.where(used, wanted, 0)).sum(axis=-1), orders)
    return _ratio(100 * (1 + CHRF_BETA**2) * precision * recall, CHRF_BETA**2 * precision + recall)


def _shared(first: Counter[H], second: Counter[H]) -> int:
    small, large = (first, second) if len(first) < len(second) else (second, first)
    return sum(min(count, large[gram]) for gram, count in small.items() if gram in large)


def _of_overlap(shared: int, wanted: int, given: int) -> Rouge:
    precision = shared / given if given > 0 else 0.0
    recall = shared / wanted if wanted > 0 else 0.0
    both = precision + recall
    return Rouge(precision, recall, 2 * precision * recall / both if both else 0.0)


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter([text[i : i + order] for i in range(len(text) - order + 1)])


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """part / whole, and 0 where there is nothing to divide by."""
    ratios: NDArray[np.float64] = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)
    return ratios
