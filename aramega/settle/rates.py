"""Rates: how good the drafts of a workspace are, from the reviews of passages that were drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aramega.settle.at_random import is_drawn
from aramega.settle.calibration import ReviewedDraft
from aramega.settle.intervals import Interval, bootstrap_sums

MORE = (100, 400, 1600)
"""Further reviews that a forecast is given for."""


@dataclass(frozen=True)
class DraftRates:
    """What a fair sample of reviews says of all drafts."""

    reviews: int
    """Of passages drawn at random."""
    accepted: Interval | None
    """Share accepted unchanged."""
    errors: Mapping[str, Interval]
    """By text: characters changed for each character left."""
    narrower: Mapping[int, float]
    """How far the share accepted may then still be off, to either side, after so many more reviews."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return asdict(self)


def measure_rates(reviewed: Sequence[ReviewedDraft], share: float) -> DraftRates:
    """Rates over the reviews of passages drawn at random, of which there is `share` in the order of review."""
    drawn = [draft for draft in reviewed if is_drawn(draft.passage, share)]
    accepted = _rate([(d.passage, d.is_unchanged, 1) for d in drawn])
    texts = sorted({text for draft in drawn for text in draft.errors})
    errors = {text: _rate([(d.passage, *d.errors[text]) for d in drawn if text in d.errors]) for text in texts}
    return DraftRates(
        reviews=len(drawn),
        accepted=accepted,
        errors={text: interval for text, interval in errors.items() if interval},
        narrower=_forecast(accepted, len(drawn), share),
    )


def _rate(counts: Sequence[tuple[str, int, int]]) -> Interval | None:
    """Of things counted by passage: their sum over the sum of the chances there were."""
    sums: dict[str, tuple[int, int]] = {}
    for passage, happened, chances in counts:
        before = sums.get(passage, (0, 0))
        sums[passage] = (before[0] + happened, before[1] + chances)
    if not sums:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        return bootstrap_sums(
            np.array(list(sums.values()), dtype=float), {"rate": lambda s: s[..., 0] / s[..., 1]}
        ).get("rate")


def _forecast(accepted: Interval | None, reviews: int, share: float) -> dict[int, float]:
    """An interval shrinks with the root of what it rests on."""
    if not accepted or accepted.low is None or accepted.high is None:
        return {}
    half = (accepted.high - accepted.low) / 2
    return {more: half * math.sqrt(reviews / (reviews + share * more)) for more in MORE}
