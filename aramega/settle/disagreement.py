"""Disagreement: on which fields the reviews of a passage differ, and how far.

Texts differ by their character error rate, labels by not being the same, verdicts by one rejecting what another
takes: whether to call a passage accepted or mended is a matter of a comma, and no disagreement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from aramega.records import Review
from aramega.settle.distances import cer_between
from aramega.settle.standing import FIELDS, LABELS, asked, is_rejection, standing


@dataclass(frozen=True)
class Limits:
    """From where on two texts are no longer the same answer; 0 to 1."""

    transcript: float = 0.1
    """Two careful transcribers of broadcast speech are some 2 to 6 % apart in characters; a tenth is a sentence missed."""
    summary: float = 0.5
    """Two people may word a summary differently and both be right; these started from the same draft."""
    title: float = 0.7


@dataclass(frozen=True)
class Difference:
    """What annotators answered to one field, and how far apart the two farthest are, 0 to 1."""

    field: str
    score: float
    answers: Mapping[str, str]
    """By annotator."""


@dataclass(frozen=True)
class Disagreement:
    """A passage whose reviews differ."""

    passage: str
    score: float
    """The mean over the fields that at least two answered, 0 to 1."""
    differences: tuple[Difference, ...]
    """The worst field first."""
    places: tuple[str, ...] = field(default=())
    """Where each review was made, as links where it was a server."""


def needs_referee(reviews: Sequence[Review], limits: Limits) -> tuple[str, ...]:
    """The fields a referee has to settle; none where annotators agree or there is only one.

    Texts: two are farther apart than the limit. Labels and the verdict: no answer has more than half of the votes.
    """
    last = standing(reviews)
    far = [name for name in ("transcript", "summary", "title") if _farthest(last, name) > getattr(limits, name)]
    votes = {"verdict": [str(is_rejection(r)) for r in last if r.verdict]}
    votes |= {name: [text for _, text in asked(last, name)] for name in LABELS}
    return (*far, *(name for name, given in votes.items() if given and 2 * max(Counter(given).values()) <= len(given)))


def find_disagreement(reviews: Sequence[Review]) -> Disagreement | None:
    """What the standing reviews of one passage differ on; None where they agree, or one stands alone."""
    last = standing(reviews)
    if len(last) < 2:
        return None
    scores = {name: score for name in ("verdict", *FIELDS) if (score := score_field(last, name)) is not None}
    differing = [Difference(name, score, answers_of(last, name)) for name, score in scores.items() if score > 0]
    if not differing:
        return None
    return Disagreement(
        passage=last[0].passage,
        score=sum(scores.values()) / len(scores),
        differences=tuple(sorted(differing, key=lambda d: -d.score)),
        places=tuple(dict.fromkeys(r.place for r in last if r.place)),
    )


def score_field(last: Sequence[Review], name: str) -> float | None:
    """How far apart the two farthest answers are; None where fewer than two answered."""
    if name == "verdict":
        rejections = {is_rejection(r) for r in last if r.verdict}
        return float(len(rejections) > 1) if sum(bool(r.verdict) for r in last) > 1 else None
    texts = [text for _, text in asked(last, name)]
    if len(texts) < 2:
        return None
    return float(len(set(texts)) > 1) if name in LABELS else _farthest(last, name)


def answers_of(last: Sequence[Review], name: str) -> dict[str, str]:
    if name == "verdict":
        return {r.annotator: f"{r.verdict}: {r.reason}" if r.reason else r.verdict for r in last if r.verdict}
    return {review.annotator: text for review, text in asked(last, name)}


def farthest_pair(answers: Mapping[str, str]) -> tuple[str, str]:
    """The two annotators whose texts are the farthest apart."""
    return max(combinations(answers, 2), key=lambda pair: cer_between(answers[pair[0]], answers[pair[1]]))


def _farthest(last: Sequence[Review], name: str) -> float:
    texts = dict.fromkeys(text for _, text in asked(last, name))
    return max((cer_between(first, other) for first, other in combinations(texts, 2)), default=0.0)
