"""Reliability: whether drafts that are given 70 % are accepted in 70 of 100 cases.

The expected calibration error (ECE; Guo et al. 2017) is the mean distance between what was predicted and what came
true, over bins of equally many drafts. A perfect forecast has some, too, by chance: that floor is drawn and given
beside it, for without it a small error of few reviews can't be told from luck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
_LEAST_IN_A_BIN = 20
_DRAWS = 400

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """Drafts of about the same probability."""

    predicted: float
    observed: float
    drafts: int


@dataclass(frozen=True)
class Reliability:
    """How far probabilities can be trusted."""

    ece: float
    ece_by_chance: float
    """What a perfect forecast of the same probabilities has, in the mean of many draws."""
    brier: float
    bins: tuple[Bin, ...]


def measure_reliability(predicted: Numbers, outcomes: NDArray[np.bool_], *, seed: int = 0) -> Reliability:
    """Hold probabilities against what came true."""
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, max(1, min(BINS, len(order) // _LEAST_IN_A_BIN)))
    bins = tuple(Bin(float(predicted[part].mean()), float(outcomes[part].mean()), len(part)) for part in parts)
    rng = np.random.default_rng(seed)
    chances = [_ece(predicted, rng.random(len(predicted)) < predicted, parts) for _ in range(_DRAWS)]
    return Reliability(
        ece=_ece(predicted, outcomes, parts),
        ece_by_chance=float(np.mean(chances)),
        brier=float(np.mean((predicted - outcomes) ** 2)),
        bins=bins,
    )


def _ece(predicted: Numbers, outcomes: NDArray[np.bool_], parts: list[NDArray[np.int64]]) -> float:
    gaps = [abs(float(predicted[part].mean() - outcomes[part].mean())) * len(part) for part in parts]
    return sum(gaps) / len(predicted)
