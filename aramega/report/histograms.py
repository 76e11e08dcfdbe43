"""Histograms: counts lengths, loudness and noise of a million rows in one pass and little memory.

Values are first counted in bins far finer than a bar, batch by batch. Quantiles come from those, exact to
one fine bin, and so do the bars, whose width is chosen once the range is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_BARS = 30
"""More than these cannot be told apart on a phone."""


class FineCounts:
    """Sums of weights in fine bins from `low` to `high`; what lies outside is counted at the ends."""

    def __init__(self, low: float, high: float, step: float) -> None:
        self.low, self.step = low, step
        self.sums = np.zeros(round((high - low) / step), np.float64)

    def add(self, values: Floats, weights: Floats) -> None:
        """Count what is known; NaN stands for unknown."""
        finite = np.isfinite(values)
        bins = np.floor((values[finite] - self.low) / self.step + 1e-6).astype(np.int64)
        np.clip(bins, 0, len(self.sums) - 1, out=bins)
        self.sums += np.bincount(bins, weights[finite], minlength=len(self.sums))

    def quantile(self, part: float) -> float:
        """The value below which `part` of the weight lies."""
        reached = np.cumsum(self.sums)
        at = int(np.searchsorted(reached, part * reached[-1]))
        at = min(at, len(self.sums) - 1)
        before = reached[at - 1] if at else 0.0
        inside = (part * reached[-1] - before) / self.sums[at] if self.sums[at] else 0.0
        return float(self.low + (at + inside) * self.step)


@dataclass(frozen=True)
class Histogram:
    """Bars of equal width, and where the middle lies."""

    title: str
    unit: str
    """Of the values; the bars are counted in `weighed_in`."""
    weighed_in: str
    digits: int
    low: float
    step: float
    bars: tuple[float, ...]
    total: float
    tenth: float
    median: float
    nine_tenths: float

    @property
    def high(self) -> float:
        return self.low + self.step * len(self.bars)


@dataclass(frozen=True)
class Measure:
    """What a histogram is of: its words, and the fine bins it is counted in."""

    title: str
    unit: str
    weighed_in: str
    low: float
    high: float
    fine: float
    digits: int = 0
    axis: tuple[float, float] | None = None
    """The range to draw, where it says more than that of the data."""


def draw_bars(measure: Measure, counts: FineCounts) -> Histogram | None:
    """Bars as wide as is round; None where nothing was counted."""
    filled = np.flatnonzero(counts.sums)
    if not len(filled):
        return None
    low, high = measure.axis or (measure.low + filled[0] * measure.fine, measure.low + (filled[-1] + 1) * measure.fine)
    step = round_step((high - low) / MOST_BARS)
    low = math.floor(low / step + 1e-9) * step
    number = max(1, math.ceil((high - low) / step - 1e-9))
    middles = measure.low + (filled + 0.5) * measure.fine
    where = np.clip(np.floor((middles - low) / step).astype(np.int64), 0, number - 1)
    bars = np.bincount(where, counts.sums[filled], minlength=number)
    return Histogram(
        title=measure.title,
        unit=measure.unit,
        weighed_in=measure.weighed_in,
        digits=measure.digits,
        low=low,
        step=step,
        bars=tuple(float(b) for b in bars),
        total=float(bars.sum()),
        tenth=counts.quantile(0.1),
        median=counts.quantile(0.5),
        nine_tenths=counts.quantile(0.9),
    )


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from `low` to `high`, `most` steps or fewer."""
    step = round_step((high - low) / most)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def count_rows(
    batches: Iterable[Sequence[Sequence[float | None]]], counts: Sequence[FineCounts], weights: Sequence[int | None]
) -> None:
    """Count column by column; `weights` names, for each, the column of its weight, or None to count rows."""
    for batch in batches:
        table = np.array(batch, np.float64)
        for column, (count, weight) in enumerate(zip(counts, weights, strict=True)):
            count.add(table[:, column], np.ones(len(table)) if weight is None else table[:, weight])
