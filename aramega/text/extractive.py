"""Summaries without a model: the sentences that say most of what the others say (LexRank), and little twice (MMR).

Each sentence is a vector of its words' tf-idf; two sentences are as near as the cosine of theirs; a sentence is
central if it is near to central ones (Erkan and Radev 2004, the continuous form). Formulas and greetings are no
content: they count for nothing, and are cut from a chosen sentence's ends. What is chosen next is what is central
and unlike the chosen (Carbonell and Goldstein 1998); the chosen are given in their order. It writes nothing of its
own, so it can't say what the transcript doesn't; nor can it tell a story from its headline.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aramega.text import words
from aramega.text.formulas import Formulas
from aramega.text.keyphrases import (
    find_title,
    find_topics,
    is_function_word,
    stem,
    tokenizer_name,
    tokens,
    word_weights,
)
from aramega.text.spoken_sentences import END_MARKS, find_sentences

Floats = npt.NDArray[np.float64]

METHOD = "lexrank@2"
"""Another version picks otherwise."""
DAMPING = 0.85
TOO_ALIKE = 0.7
"""A sentence nearer than this to a chosen one says nothing new."""
NOVELTY = 0.6
"""What likeness to a chosen sentence takes from another, beside what its centrality gives."""
LEAST_CONTENT = 3
"""Words that carry something, without which a sentence is not worth a place in a summary."""
LEAST_WORTH = 0.7
"""What a further sentence must be worth, beside the best one's 1: a summary is not filled up."""
FIRST_IS_BEST = 0.5
"""What the first sentence gains over the last one: speech that informs begins with its point."""


@dataclass(frozen=True)
class Extract:
    """Sentences picked from a text, and what it is about."""

    text: str
    title: str
    topics: tuple[str, ...]


def extract(
    lines: Sequence[str], *, max_sentences: int, max_words: int, max_topics: int, formulas: Iterable[str] = ()
) -> Extract:
    """Summarize what was said, given line by line. One sentence in three, at least one, whatever its length; nothing
    where nothing but formulas was said. `formulas` are a team's own."""
    phrases = Formulas.with_own(formulas)
    units = [unit for unit in (_without_formulas(u, phrases) for u in find_sentences(lines)) if unit]
    if not units:
        return Extract("", "", ())
    wanted = min(max_sentences, math.ceil(len(units) / 3))
    units = [unit for unit in units if count_content(unit, phrases) >= LEAST_CONTENT] or units
    contents = [_between_formulas(unit, phrases) for unit in units]
    near = similarities(contents)
    ranks = _rank(units, near)
    chosen = _choose(units, near, ranks, wanted, max_words)
    best_first = sorted(chosen, key=lambda i: -ranks[i]) + sorted(set(range(len(units))) - set(chosen))
    title = find_title([contents[i] for i in best_first], word_weights(contents))
    return Extract(" ".join(_ended(units[i]) for i in sorted(chosen)), title, find_topics(contents, max_topics))


def method() -> str:
    """What a summary is said to be made by. Whose tokens it counted is part of it: they split words differently."""
    return f"extractive:{METHOD} ({tokenizer_name()})"


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


def count_content(text: str, formulas: Formulas) -> int:
    """Words that carry something: neither formulas nor function words."""
    return sum(len(word) > 1 and not is_function_word(word) for word in formulas.drop_from(words(text)))


def _without_formulas(sentence: str, formulas: Formulas) -> str:
    """A sentence without the formulas it begins and ends with; those inside stay, for the sentence needs them."""
    sentence_words = words(sentence)
    inside = {i for span in formulas.spans(sentence_words) for i in span}
    outside = [i for i in range(len(sentence_words)) if i not in inside]
    if not outside:
        return ""
    if inside.isdisjoint({0, len(sentence_words) - 1}):
        return sentence
    places, at = [], 0
    for word in sentence_words:
        at = sentence.index(word, at)
        places.append((at, at + len(word)))
        at += len(word)
    is_last = outside[-1] == len(sentence_words) - 1
    start = places[outside[0]][0] if outside[0] else 0
    return sentence[start : len(sentence) if is_last else places[outside[-1]][1]]


def _between_formulas(sentence: str, formulas: Formulas) -> str:
    """The words of a sentence with a mark where a formula stood: no title goes over one."""
    sentence_words = words(sentence)
    spans = formulas.spans(sentence_words)
    if not spans:
        return sentence
    edges = [0, *(edge for span in spans for edge in (span.start, span.stop)), len(sentence_words)]
    return "، ".join(" ".join(sentence_words[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)


def _rank(units: Sequence[str], near: Floats) -> Floats:
    """Centrality, in shares of the most central one's, with what a reader knows of sentences beside it."""
    ranks = centrality(near)
    places = 1 + FIRST_IS_BEST * (1 - np.arange(len(units)) / len(units))
    weights = ranks / ranks.max() * places * np.array([_form_weight(unit) for unit in units])
    return np.asarray(weights / weights.max())


def _form_weight(sentence: str) -> float:
    """A question asks for what it does not say; a sentence that is very short or cut off says little."""
    weight = 0.6 if sentence.rstrip("\"'”»)] ").endswith(("؟", "?")) else 1.0
    return weight * min(1.0, 0.5 + len(words(sentence)) / 16)


def _choose(units: Sequence[str], near: Floats, ranks: Floats, wanted: int, max_words: int) -> list[int]:
    """Sentences that are central, fit, and differ from those chosen before; the earlier of equals."""
    chosen = [int(np.argmax(np.round(ranks, 9)))]
    used = len(words(units[chosen[0]]))
    while len(chosen) < wanted:
        alike = near[:, chosen].max(axis=1)
        candidates = [
            i
            for i, unit in enumerate(units)
            if i not in chosen
            and ranks[i] >= LEAST_WORTH
            and alike[i] < TOO_ALIKE
            and used + len(words(unit)) <= max_words
        ]
        if not candidates:
            break
        best = max(candidates, key=lambda i: (round(float(ranks[i] - NOVELTY * alike[i]), 9), -i))
        chosen.append(best)
        used += len(words(units[best]))
    return chosen


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in END_MARKS else f"{sentence.rstrip('،, ')}."
