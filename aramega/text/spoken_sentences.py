"""Sentences of speech: rebuilt across the lines of a transcript.

A recognizer writes few marks, and a line ends where somebody drew breath, which is as often inside a sentence as
after it. So a line's end is a candidate, not a full stop. We choose among the candidates (line ends, commas, words
that begin a sentence) by dynamic programming: a cut costs what the words around it say against it, and a sentence
costs how far its length is from what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from aramega.text.tokens import sentences, words
from aramega.text.word_lists import spelling, word_list

END_MARKS = ".!?؟…؛»”\"')]"
LONGEST_SENTENCE = 24
"""In words. Speech has few longer ones; more likely a recognizer left marks out."""
_OVERLONG = 40

_USUAL = 12
"""Words of a spoken sentence."""
_SHORTEST = 4
"""Words that say something by themselves; what is shorter belongs to its neighbour."""
_UNFINISHED = """
من إلى على عن في مع بين منذ خلال حتى عند لدى بعد قبل فوق تحت أمام ضد دون بدون عبر نحو لكن بل ثم أو أم أن إن أنه أنها إنه إنها
لأن لأنه لأنها كأن لعل لم لن لا ما هذا هذه ذلك تلك الذي التي الذين هو هي هم قد لقد سوف كل بعض أي جميع غير إلا مثل حيث حين
إذا لو و ف ب ل يا أيها كان كانت يعني اللي ده دي ديال بتاع
"""
"""A sentence does not end in one of these."""
_OPENERS = """
ثم لكن ولكن أما وأما إن وإن لقد ولقد وقد قال وقال وقالت قالت وأضاف وأضافت وأكد وأكدت وأوضح وأوضحت وأشار وأشارت وكان وكانت
ولا وفي ومن وهذا وهذه وذلك لذلك ولذلك وبذلك إذن فإن فإذا وإذا وعندما وبعد وأعلن وأعلنت ومع وعلى واليوم وحول
"""
"""A sentence often begins with one of these."""
_CONTINUERS = """
من إلى على عن في مع بين منذ خلال حتى عند لدى أو أم أن أنه أنها الذي التي الذين اللذان اللتان والتي والذي حيث لأن لأنه لأنها بل
إلا غير فقط أيضا جدا منها منه فيها فيه عليها عليه لها له
"""
"""A sentence seldom begins with one of these, in speech that goes on after a breath."""


_COUNTS = "مئة مائة مئتين ألف آلاف ألفا مليون ملايين مليونا مليار مليارات ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة"
"""What is counted comes after these."""
_AND_A_VERB = ("وي", "وت", "وسي", "وست", "ولم", "ولن")


@dataclass(frozen=True)
class _Candidate:
    """A place in a text where a sentence may end."""

    at: int
    cost: float


def find_sentences(lines: Sequence[str]) -> list[str]:
    """The sentences of a transcript that is given line by line, with all their words in their order."""
    lines = [line for line in (line.strip() for line in lines) if line]
    ends = set(list(accumulate((len(line) + 1 for line in lines), initial=0))[1:])
    text, pieces, at = " ".join(lines), [], 0
    for sentence in sentences(text):
        start = text.index(sentence, at)
        at = start + len(sentence)
        pieces += _divide(sentence, {end - start for end in ends if start < end < at})
    return [piece for piece in pieces if words(piece)]


def _divide(text: str, line_ends: set[int]) -> list[str]:
    """A stretch between two marks, as the sentences that it is likeliest made of."""
    is_marked = text[-1] in END_MARKS
    if is_marked and len(words(text)) <= LONGEST_SENTENCE:
        return [text]
    candidates = _find_candidates(text, line_ends)
    cuts = _cheapest_cuts(text, candidates)
    edges = [0, *cuts, len(text)]
    return [text[first:last].strip() for first, last in pairwise(edges)]


def _find_candidates(text: str, line_ends: set[int]) -> list[_Candidate]:
    """Where a sentence may end, with what speaks against it."""
    candidates = []
    for at in (i + 1 for i, letter in enumerate(text) if letter.isspace()):
        before, after = words(text[max(0, at - 40) : at]), words(text[at : at + 40])
        if not before or not after:
            continue
        cost = _cost_between(before[-1], after[0])
        if at in line_ends:
            candidates.append(_Candidate(at, cost))
        elif text[at - 2 : at - 1] in ("،", ","):
            candidates.append(_Candidate(at, cost + 1.0))
        elif _opens(after[0]):
            candidates.append(_Candidate(at, cost + 1.5))
    return candidates


def _cost_between(before: str, after: str) -> float:
    """What the two words around a cut say against it."""
    if spelling(before) in word_list(_UNFINISHED) or spelling(before.removeprefix("و")) in word_list(_UNFINISHED):
        return 8.0
    if _opens(after):
        return -1.0
    if spelling(after) in word_list(_CONTINUERS):
        return 4.0
    if after.startswith("و"):
        return 2.0 if after.startswith("وال") else -0.7  # nouns are listed with it, verbs begin with it
    if before.isdigit() or spelling(before) in word_list(_COUNTS):
        return 6.0
    # A noun goes on in one with the article: its adjective, or the second half of a pair («وزير | الصحة»).
    return 3.0 if after.startswith("ال") else 1.5


def _opens(word: str) -> bool:
    """Whether a sentence may begin with the word: with one of those that do, or with «and» and a verb that shows."""
    folded = spelling(word)
    if folded in word_list(_OPENERS):
        return True
    is_present, is_past = folded.startswith(_AND_A_VERB), folded.startswith("و") and folded.endswith("ت")
    return len(folded) >= 4 and (is_present or is_past) and not folded.endswith(("ات", "يه", "ون"))


def _cheapest_cuts(text: str, candidates: Sequence[_Candidate]) -> list[int]:
    """The cuts whose costs, with those of the lengths between them, are the least."""
    places = [_Candidate(0, 0.0), *candidates, _Candidate(len(text), 0.0)]
    counts = [len(words(text[: place.at])) for place in places]
    best, cut_before = [0.0], [0]
    for last in range(1, len(places)):
        totals = []
        for first in range(max(0, last - 60), last):
            length = counts[last] - counts[first]
            totals.append((best[first] + places[last].cost + _length_cost(length), first))
        total, first = min(totals)
        best.append(total)
        cut_before.append(first)
    cuts, at = [], len(places) - 1
    while at > 0:
        at = cut_before[at]
        cuts.append(places[at].at)
    return cuts[::-1][1:]


def _length_cost(length: int) -> float:
    cost = (length - _USUAL) ** 2 / (150 if length < _USUAL else 40)
    if length < _SHORTEST:
        cost += 6.0
    return cost + 12.0 if length > _OVERLONG else cost
