"""Summaries without a model: the sentences that say most of what the others say (LexRank).

Each sentence is a vector of its words' tf-idf; two sentences are as near as the cosine of theirs; a sentence is
central if it is near to central ones (Erkan and Radev 2004, the continuous form). The chosen ones are given
whole and in their order. It writes nothing of its own, so it can't say what the transcript doesn't; nor can it
tell a story from its headline.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from aramega.text import sentences, words
from aramega.text.keyphrases import (
    find_title,
    find_topics,
    is_function_word,
    stem,
    tokenizer_name,
    tokens,
    word_weights,
)

Floats = npt.NDArray[np.float64]

LONGEST_SENTENCE = 40
"""In words. Newsreaders' sentences have 20 to 30; what is longer is speech whose marks the recognizer left out."""
DAMPING = 0.85
END_MARKS = ".!?؟…؛»”\"')]"
TOO_ALIKE = 0.7
"""A sentence nearer than this to a chosen one says nothing new."""


@dataclass(frozen=True)
class Extract:
    """Sentences picked from a text, and what it is about."""

    text: str
    title: str
    topics: tuple[str, ...]


def extract(lines: Sequence[str], *, max_sentences: int, max_words: int, max_topics: int) -> Extract:
    """Summarize what was said, given line by line. One sentence in three, at least one, whatever its length."""
    units = find_sentences(lines)
    if not units:
        return Extract("", "", ())
    near = similarities(units)
    ranks = centrality(near)
    wanted = min(max_sentences, math.ceil(len(units) / 3))
    chosen = _choose(units, near, ranks, wanted, max_words)
    title = find_title(units[max(chosen, key=lambda i: ranks[i])], word_weights(units))
    return Extract(" ".join(_ended(units[i]) for i in sorted(chosen)), title, find_topics(units, max_topics))


def method() -> str:
    """What a summary is said to be made by. Whose tokens it counted is part of it: they split words differently."""
    return f"extractive:lexrank@1 ({tokenizer_name()})"


def find_sentences(lines: Sequence[str]) -> list[str]:
    """The sentences of a transcript. Where one has no mark at its end or is too long, lines count as sentences:
    recognizers leave marks out, and segments end in pauses."""
    lines = [line for line in (line.strip() for line in lines) if line]
    ends = list(accumulate((len(line) + 1 for line in lines), initial=0))[1:]
    text, pieces, at = " ".join(lines), [], 0
    for sentence in sentences(text):
        start = text.index(sentence, at)
        at = start + len(sentence)
        whole = sentence[-1] in END_MARKS and len(words(sentence)) <= LONGEST_SENTENCE
        cuts = [] if whole else [end for end in ends if start < end < at]
        edges = [start, *cuts, at]
        pieces += [text[a:b].strip() for a, b in pairwise(edges)]
    return [sentence for sentence in pieces if words(sentence)]


def similarities(units: Sequence[str]) -> Floats:
    """Cosines of the sentences' tf-idf, each with each other; nothing is like itself, or odd sentences would shine."""
    counts = [Counter(stem(word) for word in tokens(unit) if not is_function_word(word)) for unit in units]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(word for count in counts for word in count))}
    table = np.zeros((len(units), max(1, len(vocabulary))))
    for row, count in zip(table, counts, strict=True):
        for word, n in count.items():
            row[vocabulary[word]] = n
    holders = np.maximum(1, (table > 0).sum(axis=0))
    table *= np.log(1 + len(units) / holders)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    near = np.asarray(table @ table.T)
    np.fill_diagonal(near, 0.0)
    return near


def centrality(near: Floats) -> Floats:
    """The share of its time that a walk from sentence to like sentence spends at each."""
    count = len(near)
    row_sums = near.sum(axis=1, keepdims=True)
    steps = np.where(row_sums > 0, near / np.where(row_sums > 0, row_sums, 1), 1 / count)
    ranks = np.full(count, 1 / count)
    for _ in range(100):
        after = (1 - DAMPING) / count + DAMPING * (ranks @ steps)
        if np.abs(after - ranks).max() < 1e-9:
            break
        ranks = after
    return ranks


def _choose(units: Sequence[str], near: Floats, ranks: Floats, wanted: int, max_words: int) -> list[int]:
    """The most central sentences that fit and differ; the earlier of equals, for news begins with its point."""
    order = sorted(range(len(units)), key=lambda i: (-round(float(ranks[i]), 9), i))
    chosen, used = order[:1], len(words(units[order[0]]))
    for i in order[1:]:
        length = len(words(units[i]))
        if len(chosen) < wanted and used + length <= max_words and near[i, chosen].max() < TOO_ALIKE:
            chosen.append(i)
            used += length
    return chosen


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in END_MARKS else f"{sentence.rstrip('،, ')}."
