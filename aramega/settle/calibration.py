"""Calibration: the probability that a person accepts a draft unchanged, and the errors to expect, learned from reviews.

Before it, all there is of a draft is a score: a formula over the recognizer's own probability and the checks' doubts,
good for an order and for nothing else. Reviews make a probability of it: a logistic regression over the score and the
draft's facts says how likely the draft is accepted as it is, and a Poisson regression for each text how many of a
hundred characters will be changed. Whoever wants to know whether the probability holds has to ask it of voices it was
not fitted on, so what is reported is measured on speakers (recordings, where no speaker is named) left out in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aramega.errors import NotNow
from aramega.settle.reliability import Reliability, measure_reliability

FEWEST_REVIEWS = 100
FEWEST_OF_EACH = 15
"""Reviews that accepted the draft, and reviews that changed it: of fewer, nothing can be learned about either."""
FEWEST_GROUPS = 5
_FOLDS = 5
_STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Of the regression's penalty, the weakest last: chosen on groups left out."""
_FARTHEST = 3.0
"""Standard deviations beyond which a fact counts no more: a draft unlike all reviewed ones gets no wild answer."""
_SURE = 0.005
"""No draft is surer, or more hopeless, than this."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ReviewedDraft:
    """One review of a draft, and what was known of the draft before it."""

    passage: str
    group: str
    """Its speaker; its recording, where none is named."""
    facts: Mapping[str, float | None]
    score: float
    is_unchanged: bool
    errors: Mapping[str, tuple[int, int]]
    """By text: characters that were changed, and characters of what the reviewer left."""


@dataclass(frozen=True)
class Scale:
    """How facts become the regressions' inputs: by name, the usual value and how far others lie from it."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    def apply(self, facts: Mapping[str, float | None], score: float) -> Numbers:
        """A row of inputs; what is not known counts as usual."""
        values = {**facts, "score": score}
        usual = np.array(self.means)
        row = np.array([_usual_if_none(values.get(name), mean) for name, mean in zip(self.names, usual, strict=True)])
        scaled: Numbers = np.clip((row - usual) / np.array(self.deviations), -_FARTHEST, _FARTHEST)
        return scaled


@dataclass(frozen=True)
class Weights:
    """A fitted regression."""

    intercept: float
    coefficients: tuple[float, ...]

    def apply(self, row: Numbers) -> float:
        return float(self.intercept + row @ np.array(self.coefficients))


@dataclass(frozen=True)
class TextErrors:
    """What tells how much of one of a draft's texts will be changed."""

    text: str
    weights: Weights
    """Of the logarithm of changed characters for each character."""


@dataclass(frozen=True)
class Calibration:
    """What was learned from the reviews of a workspace."""

    scale: Scale
    acceptance: Weights
    errors: tuple[TextErrors, ...]
    reviews: int
    groups: int
    accepted: float
    """Share of the reviews that left the draft unchanged."""
    reliability: Reliability
    """Of the probability, on groups left out."""
    score_reliability: Reliability
    """Of the score, had it been taken for a probability."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json and for the store."""
        return asdict(self)

    def probability(self, facts: Mapping[str, float | None], score: float) -> float:
        """How likely a person accepts the draft unchanged."""
        return _probability(self.acceptance.apply(self.scale.apply(facts, score)))

    def expected_errors(self, text: str, facts: Mapping[str, float | None], score: float) -> float | None:
        """The character error rate to expect of one of the draft's texts; None where no review had changed one."""
        weights = next((errors.weights for errors in self.errors if errors.text == text), None)
        return min(1.0, float(np.exp(weights.apply(self.scale.apply(facts, score))))) if weights else None


def calibrate(reviewed: Sequence[ReviewedDraft], names: Sequence[str]) -> Calibration:
    """Learn from reviews what facts of these names, and the score, say of a draft; too few are refused by number."""
    _refuse_too_few(reviewed)
    scale = _fit_scale(reviewed, names)
    rows = np.array([scale.apply(draft.facts, draft.score) for draft in reviewed])
    outcomes = np.array([draft.is_unchanged for draft in reviewed])
    groups = np.array([draft.group for draft in reviewed])
    return Calibration(
        scale=scale,
        acceptance=_fit_acceptance(rows, outcomes, groups),
        errors=_fit_errors(rows, reviewed),
        reviews=len(reviewed),
        groups=len(set(groups)),
        accepted=float(outcomes.mean()),
        reliability=measure_reliability(predict_left_out(rows, outcomes, groups), outcomes),
        score_reliability=measure_reliability(np.array([draft.score for draft in reviewed]), outcomes),
    )


def predict_left_out(rows: Numbers, outcomes: NDArray[np.bool_], groups: NDArray[np.str_]) -> Numbers:
    """Each draft's probability from a regression that has seen no review of its group."""
    predicted = np.zeros(len(rows))
    for train, test in _split_by_group(groups):
        weights = _fit_acceptance(rows[train], outcomes[train], groups[train])
        predicted[test] = [_probability(weights.apply(row)) for row in rows[test]]
    return predicted


def _refuse_too_few(reviewed: Sequence[ReviewedDraft]) -> None:
    unchanged, groups = sum(draft.is_unchanged for draft in reviewed), {draft.group for draft in reviewed}
    missing = {
        "reviews of drafts as they are now": FEWEST_REVIEWS - len(reviewed),
        "reviews that accept a draft unchanged": FEWEST_OF_EACH - unchanged,
        "reviews that change or reject a draft": FEWEST_OF_EACH - (len(reviewed) - unchanged),
        "speakers (or recordings)": FEWEST_GROUPS - len(groups),
    }
    wanted = [f"{count} more {what}" for what, count in missing.items() if count > 0]
    if wanted:
        raise NotNow(f"too few reviews to calibrate by: {', '.join(wanted)} would do.")


def _fit_scale(reviewed: Sequence[ReviewedDraft], names: Sequence[str]) -> Scale:
    """Of the facts that are not the same everywhere."""
    columns = {name: [draft.facts.get(name) for draft in reviewed] for name in names}
    columns["score"] = [draft.score for draft in reviewed]
    scales = {}
    for name, values in columns.items():
        present = np.array([value for value in values if value is not None], dtype=float)
        if len(present) and present.std() > 0:
            scales[name] = (float(present.mean()), float(present.std()))
    return Scale(tuple(scales), tuple(m for m, _ in scales.values()), tuple(d for _, d in scales.values()))


def _fit_acceptance(rows: Numbers, outcomes: NDArray[np.bool_], groups: NDArray[np.str_]) -> Weights:
    """A logistic regression whose penalty is the one that serves groups left out best."""
    from sklearn.linear_model import LogisticRegression

    if outcomes.all() or not outcomes.any():
        share = (outcomes.sum() + 0.5) / (len(outcomes) + 1)
        return Weights(float(np.log(share / (1 - share))), (0.0,) * rows.shape[1])
    losses = np.zeros(len(_STRENGTHS))
    for train, test in _split_by_group(groups):
        if outcomes[train].all() or not outcomes[train].any():
            continue
        for i, strength in enumerate(_STRENGTHS):
            model = LogisticRegression(C=strength, max_iter=500).fit(rows[train], outcomes[train])
            chance = np.clip(model.predict_proba(rows[test])[:, 1], _SURE, 1 - _SURE)
            losses[i] -= np.where(outcomes[test], np.log(chance), np.log(1 - chance)).sum()
    model = LogisticRegression(C=_STRENGTHS[int(losses.argmin())], max_iter=500).fit(rows, outcomes)
    return Weights(float(model.intercept_[0]), tuple(map(float, model.coef_[0])))


def _fit_errors(rows: Numbers, reviewed: Sequence[ReviewedDraft]) -> tuple[TextErrors, ...]:
    """For each text that reviewers changed, a Poisson regression of the changes to a character."""
    from sklearn.linear_model import PoissonRegressor

    texts = []
    for text in sorted({text for draft in reviewed for text in draft.errors}):
        answered = [
            (row, *draft.errors[text]) for row, draft in zip(rows, reviewed, strict=True) if text in draft.errors
        ]
        lengths = np.array([max(1, length) for _, _, length in answered], dtype=float)
        rates = np.array([changed for _, changed, _ in answered]) / lengths
        if rates.any() and len(answered) >= FEWEST_REVIEWS:
            model = PoissonRegressor(alpha=0.01, max_iter=500)
            model.fit(np.array([row for row, _, _ in answered]), rates, sample_weight=lengths)
            texts.append(TextErrors(text, Weights(float(model.intercept_), tuple(map(float, model.coef_)))))
    return tuple(texts)


def _split_by_group(groups: NDArray[np.str_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import GroupKFold

    folds = min(_FOLDS, len(set(groups)))
    return list(GroupKFold(folds).split(groups, groups=groups)) if folds > 1 else []


def _probability(logit: float) -> float:
    return float(np.clip(1 / (1 + np.exp(-logit)), _SURE, 1 - _SURE))


def _usual_if_none(value: float | None, mean: float) -> float:
    return mean if value is None else float(value)
