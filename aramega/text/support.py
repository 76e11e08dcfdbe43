"""Support: which words of a transcript a sentence of its summary rests on.

The words are those whose stems the sentence shares, in the stretch of the transcript that holds most of them for its
length; what that stretch lacks is looked for in one more. Rare words count more than common ones. Nothing here knows
what a sentence means: that it rests on a stretch says where to listen, not that it is true.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from aramega.text.keyphrases import is_function_word, stem
from aramega.text.tokens import words
from aramega.text.word_lists import loose_spelling

_VERB_ENDS = ("وا", "تا", "ون", "ت", "ا")
_SPARE = 6
"""Words that a stretch may hold beside the sentence's own, for speech takes its time."""
_WORTH_A_SECOND = 0.25
"""Share of the sentence's weight that a second stretch must add to be counted."""


@dataclass(frozen=True)
class Support:
    """What of a transcript carries a sentence."""

    words: tuple[int, ...]
    """Places of the transcript's words in the stretches, in order."""
    share: float
    """Of the sentence's content, by weight, what the stretches hold."""


@lru_cache(1 << 14)
def root_like(word: str) -> str:
    """A word without what person and tense add: «ويرتفع», «ارتفعت» and «ارتفاع» count as one, as far as letters show."""
    bare = stem(word)
    if (bare.startswith("و") and len(bare) >= 4) or (bare.startswith(("ف", "ب", "ل")) and len(bare) >= 5):
        bare = bare[1:]
    if bare.startswith("س") and bare[1:2] in ("ي", "ت", "ن") and len(bare) >= 5:
        bare = bare[1:]
    if bare[:1] in ("ي", "ت", "ن") and len(bare) >= 4:
        bare = bare[1:]
    for ending in _VERB_ENDS:
        if bare.endswith(ending) and len(bare) - len(ending) >= 3:
            bare = bare.removesuffix(ending)
            break
    bare = bare.replace("ى", "ي")
    if len(bare) >= 5 and bare[0] == "ا":
        bare = bare[1:]
    return bare[:-2] + bare[-1] if len(bare) >= 4 and bare[-2] == "ا" else bare


def is_content(word: str) -> bool:
    return len(word) > 1 and not is_function_word(word) and not is_function_word(word.removeprefix("ال"))


def find_support(transcript: Sequence[str], sentence: str) -> Support:
    """The stretch or two of the transcript's words on which the sentence rests."""
    wanted = {root_like(word) for word in words(sentence) if is_content(word)}
    if not wanted or not transcript:
        return Support((), 0.0)
    roots = [root_like(word) for word in transcript]
    counts = Counter(roots)
    weights = {root: 1 / math.sqrt(counts[root] or 1) for root in wanted}
    total = sum(weights.values())
    length = len(words(sentence)) + _SPARE
    first = _best_stretch(roots, weights, length)
    left = {root: weight for root, weight in weights.items() if root not in {roots[i] for i in first}}
    second = _best_stretch(roots, left, length) if left else range(0)
    if sum(left[root] for root in {roots[i] for i in second} & left.keys()) < _WORTH_A_SECOND * total:
        second = range(0)
    places = sorted({*first, *second})
    held = {roots[i] for i in places} & weights.keys()
    return Support(tuple(places), sum(weights[root] for root in held) / total)


def with_surroundings(support: Support, length: int, *, before: int = 3, after: int = 2) -> tuple[int, ...]:
    """The places of a support and those about them, of a transcript of so many words: a negation or a verb that is not
    the sentence's own stands at the edge of what is."""
    near = {near for place in support.words for near in range(place - before, place + after + 1)}
    return tuple(sorted(place for place in near if 0 <= place < length))


@lru_cache(1 << 14)
def folded(word: str) -> str:
    """A word by its letters alone, without «and», its article, and what joins it to a preposition."""
    bare = loose_spelling(word)
    for prefix in ("وال", "بال", "فال", "كال", "ولل", "لل", "ال", "و", "ب", "ل", "ف"):
        if bare.startswith(prefix) and len(bare) - len(prefix) >= 3:
            return bare.removeprefix(prefix)
    return bare


def _best_stretch(roots: Sequence[str], weights: dict[str, float], length: int) -> range:
    """The stretch of at most so many words that holds most weight, trimmed to the first and last word that count."""
    best, best_weight = range(0), 0.0
    places = [i for i, root in enumerate(roots) if root in weights]
    for first in places:
        inside = [i for i in places if first <= i < first + length]
        weight = sum(weights[root] for root in {roots[i] for i in inside})
        if weight > best_weight + 1e-9:
            best, best_weight = range(first, inside[-1] + 1), weight
    return best
