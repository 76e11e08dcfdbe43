"""ROUGE-1, ROUGE-2 and ROUGE-L for any script.

Google's `rouge_score` drops every letter outside a-z with its default tokenizer, so that Arabic scores 0.
These are its formulas over `aramega.text.words`, and equal it to the last digit when it is given the same
tokenizer. The longest common subsequence is rapidfuzz's, bit-parallel, instead of a table in Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

from aramega.text.tokens import words


class Rouge(NamedTuple):
    precision: float
    recall: float
    f: float


def rouge(reference: str, answer: str) -> dict[str, Rouge]:
    """rouge1, rouge2 and rougeL of one answer. Normalize both first; nothing is stemmed."""
    wanted, given = words(reference), words(answer)
    return {
        "rouge1": _of_ngrams(wanted, given, 1),
        "rouge2": _of_ngrams(wanted, given, 2),
        "rougeL": _of_overlap(LCSseq.similarity(wanted, given), len(wanted), len(given)),
    }


def _of_ngrams(wanted: Sequence[str], given: Sequence[str], n: int) -> Rouge:
    grams, others = (Counter(zip(*(tokens[i:] for i in range(n)), strict=False)) for tokens in (wanted, given))
    shared = sum(min(count, others[gram]) for gram, count in grams.items() if gram in others)
    return _of_overlap(shared, max(len(wanted) - n + 1, 0), max(len(given) - n + 1, 0))


def _of_overlap(shared: int, wanted: int, given: int) -> Rouge:
    precision = shared / given if given else 0.0
    recall = shared / wanted if wanted else 0.0
    both = precision + recall
    return Rouge(precision, recall, 2 * precision * recall / both if both else 0.0)
