"""chrF: the F2-score of character n-grams up to six, equal to sacrebleu's default.

Split in two so that corpora can be resampled: `chrf_counts` gives one row per pair of texts, and
`chrf_from_counts` the score of any sum of rows, for one sum or for a thousand at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDERS = 6
BETA = 2.0


def chrf(references: Sequence[str], answers: Sequence[str]) -> float:
    """The corpus score, 0 to 100. Normalize both sides first."""
    rows = [chrf_counts(reference, answer) for reference, answer in zip(references, answers, strict=True)]
    return float(chrf_from_counts(np.array(rows, dtype=float).reshape(-1, 3 * ORDERS).sum(axis=0)))


def chrf_counts(reference: str, answer: str) -> tuple[int, ...]:
    """n-grams of the answer, of the reference and in both, for each order. Spaces don't count."""
    wanted, given = "".join(reference.split()), "".join(answer.split())
    counts: list[int] = []
    for order in range(1, ORDERS + 1):
        theirs, ours = _ngrams(wanted, order), _ngrams(given, order)
        small, large = (ours, theirs) if len(ours) < len(theirs) else (theirs, ours)
        shared = sum(min(count, large[gram]) for gram, count in small.items() if gram in large)
        # An order the reference is too short for says nothing about the answer, so it is left out on both sides.
        counts += (max(len(given) - order + 1, 0) if theirs else 0, max(len(wanted) - order + 1, 0), shared)
    return tuple(counts)


def chrf_from_counts(totals: NDArray[Any]) -> NDArray[np.float64]:
    """Scores, 0 to 100, of summed rows: (..., 18) in, (...) out."""
    triples = np.asarray(totals, dtype=float).reshape(*np.shape(totals)[:-1], ORDERS, 3)
    given, wanted, shared = np.moveaxis(triples, -1, 0)
    used = (given > 0) & (wanted > 0)
    orders = used.sum(axis=-1)
    precision = _mean(np.divide(shared, given, out=np.zeros_like(shared), where=used), orders)
    recall = _mean(np.divide(shared, wanted, out=np.zeros_like(shared), where=used), orders)
    below = BETA**2 * precision + recall
    above = 100 * (1 + BETA**2) * precision * recall
    scores: NDArray[np.float64] = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return scores


def _mean(values: NDArray[np.float64], orders: NDArray[Any]) -> NDArray[np.float64]:
    sums = values.sum(axis=-1)
    means: NDArray[np.float64] = np.divide(sums, orders, out=np.zeros_like(sums), where=orders > 0)
    return means


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter([text[i : i + order] for i in range(len(text) - order + 1)])
