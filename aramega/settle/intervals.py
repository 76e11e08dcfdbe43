"""Intervals: how much a figure could have been another, had other passages been reviewed.

Passages are resampled, not reviews: three people on one hard passage are one piece of bad luck, not three.
Under five passages no interval is given, for a resample of so few is the same few again and looks surer than it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
CONFIDENCE = 0.95
FEWEST = 5
CHUNK = 64
"""Resamples drawn at once: 64 of 20,000 passages are 10 MB."""

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Interval:
    """A figure and where it would lie in 95 of 100 such sessions; no limits where there is too little to say."""

    value: float
    low: float | None
    high: float | None
    passages: int


def bootstrap_sums(
    tallies: Numbers,
    statistics: Mapping[str, Callable[[Numbers], Numbers]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """For figures of summed tallies: `tallies` is (passages, k), each statistic takes (…, k) to (…). Those that are
    not defined are left out."""
    count = len(tallies)
    if not count:
        return {}
    rng, sums = np.random.default_rng(seed), []
    for start in range(0, resamples if count >= FEWEST else 0, CHUNK):
        size = min(CHUNK, resamples - start)
        draws = rng.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        sums.append(np.bincount(draws.ravel(), minlength=size * count).reshape(size, count).astype(float) @ tallies)
    intervals = {}
    for name, statistic in statistics.items():
        drawn = statistic(np.concatenate(sums)) if sums else None
        interval = _interval(float(statistic(tallies.sum(axis=0))), drawn, count)
        if interval:
            intervals[name] = interval
    return intervals


def bootstrap_rows(
    rows: Numbers, statistic: Callable[[Numbers], float], *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval | None:
    """For a figure that needs every passage's row: `statistic` takes (passages, …) to a number."""
    if not len(rows):
        return None
    rng = np.random.default_rng(seed)
    times = resamples if len(rows) >= FEWEST else 0
    drawn = np.array([statistic(rows[rng.integers(len(rows), size=len(rows))]) for _ in range(times)])
    return _interval(float(statistic(rows)), drawn if times else None, len(rows))


def _interval(value: float, drawn: Numbers | None, passages: int) -> Interval | None:
    """None for a figure that is not defined (no letters, one label only); resamples in which it isn't don't count."""
    if np.isnan(value):
        return None
    if drawn is None or np.isnan(drawn).all():
        return Interval(value, None, None, passages)
    low, high = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value, float(low), float(high), passages)
