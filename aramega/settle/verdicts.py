"""Verdicts: keep, review first or reject, and in what order annotators see the drafts.

Decided by the configuration's rules over a draft's facts, in one place and at once for a whole workspace,
because whether a passage is a repetition depends on all the others. Cheap enough to be decided anew by
every build, so a changed rule costs seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from aramega.config import CheckConfig
from aramega.config.check import Rule, read_rule
from aramega.records import Decision, Verdict
from aramega.settle.calibration import Calibration

_RICH_WORDS = 120
"""A minute of broadcast speech: a passage of so many words has all a summary needs."""
_EACH_REASON = 0.85
"""What each reason to look leaves of the score."""


@dataclass(frozen=True)
class Facts:
    """What the rules may ask about one draft."""

    passage: str
    measured: Mapping[str, float | None]
    duplicate_of: str = ""
    reviewed_beside: int = 0
    """Passages of the same recording that were reviewed."""


def judge(facts: Facts, options: CheckConfig, learned: Calibration | None = None) -> Verdict:
    """What becomes of one draft."""
    rejected = [rule.reason for rule in _rules(options.reject) if rule.holds(facts.measured)]
    doubted = [rule.reason for rule in _rules(options.review_first) if rule.holds(facts.measured)]
    decision: Decision = "reject" if rejected else "review first" if doubted else "keep"
    score = round(_score(facts.measured, len(rejected) + len(doubted)), 4)
    confidence = round(learned.probability(facts.measured, score), 4) if learned else None
    expected_cer = learned.expected_errors("transcript", facts.measured, score) if learned else None
    unsure = 1 - (score if confidence is None else confidence)
    priority = _weighed(_priority(facts, unsure, options, is_learned=learned is not None), facts.measured, options)
    return Verdict(
        passage=facts.passage,
        decision=decision,
        reasons=tuple(rejected or doubted),
        score=score,
        priority=0.0 if rejected else round(priority, 4),
        duplicate_of=facts.duplicate_of,
        similarity=round(facts.measured.get("similarity") or 0.0, 4),
        confidence=confidence,
        expected_cer=None if expected_cer is None else round(expected_cer, 4),
    )


def _score(measured: Mapping[str, float | None], reasons: int) -> float:
    """The recognizer's own probability of a token, less for every doubt."""
    logprob = measured.get("avg_logprob")
    sure = math.exp(min(0.0, logprob)) if logprob is not None else 0.8  # a broadcaster's subtitles
    return sure * (1 - (measured.get("doubted") or 0.0)) * _EACH_REASON**reasons


def _priority(facts: Facts, unsure: float, options: CheckConfig, *, is_learned: bool) -> float:
    """The least sure first, among them the richest; a passage of few words teaches little. Where it was learned how
    likely a draft is wrong, that multiplies with its worth, and with how little of its recording was reviewed."""
    value = min(1.0, (facts.measured.get("words") or 0.0) / _RICH_WORDS)
    if is_learned:
        return unsure * value / math.sqrt(1 + facts.reviewed_beside)
    return options.unsure_weight * unsure + (1 - options.unsure_weight) * value


def _weighed(priority: float, measured: Mapping[str, float | None], options: CheckConfig) -> float:
    """The priority with what the facts that are weighed add to it."""
    added = sum(weight * (measured.get(name) or 0.0) for name, weight in options.priority_weights.items())
    return min(1.0, max(0.0, priority + added))


@cache
def _rules(texts: Sequence[str]) -> tuple[Rule, ...]:
    return tuple(map(read_rule, texts))
