"""Intervals and tests by resampling, for any metric that is a function of summed tallies.

A bootstrap resample is a vector of how often each example is drawn; a thousand of them are a matrix, and
that matrix times the tallies gives a thousand corpora's totals at once. The paired test is approximate
randomization (Noreen 1989): under the null hypothesis the two systems' answers to an example could have
been swapped, so we swap them at random and ask how often the difference is as large as the one seen.
Macro-F1 and corpus chrF, which are no means over examples, are treated as exactly as accuracy is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recipes.tasks import Task

# Rows of the resampling matrix made at once: 64 × 20,000 examples are 10 MB.
CHUNK = 64


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much B is above A, and how likely so much is if there is nothing in it."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float
    examples: int

    def significant(self, level: float = 0.05) -> bool:
        return self.p_value < level


def bootstrap(
    task: Task, tallies: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Every metric with its percentile interval."""
    values = task.metrics(tallies.sum(axis=0))
    drawn = _metrics(task, _resampled(tallies, resamples, np.random.default_rng(seed)))
    return {name: Interval(float(values[name]), *_percentiles(drawn[name], confidence)) for name in values}


def compare_paired(
    task: Task,
    first: np.ndarray,
    second: np.ndarray,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """Two systems' tallies over the same examples, row by row."""
    if first.shape != second.shape:
        raise ValueError(f"tallies of different examples: {first.shape} and {second.shape}")
    one, other = task.metrics(first.sum(axis=0)), task.metrics(second.sum(axis=0))
    rng = np.random.default_rng(seed)
    both = np.concatenate([first, second], axis=1)
    width = first.shape[1]
    drawn = list(_resampled(both, resamples, rng))
    ours, theirs = _metrics(task, (d[:, :width] for d in drawn)), _metrics(task, (d[:, width:] for d in drawn))
    swapped = list(_swapped(first, second, resamples, rng))
    null_ours, null_theirs = _metrics(task, (s[0] for s in swapped)), _metrics(task, (s[1] for s in swapped))
    found = {}
    for name in one:
        difference = float(other[name] - one[name])
        low, high = _percentiles(theirs[name] - ours[name], confidence)
        # Rounding in sums must not make an equal difference look smaller than itself.
        as_large = np.abs(null_theirs[name] - null_ours[name]) >= abs(difference) - 1e-9
        p_value = (1 + int(as_large.sum())) / (1 + resamples)
        found[name] = Difference(
            float(one[name]), float(other[name]), difference, low, high, p_value, examples=len(first)
        )
    return found


def _resampled(tallies: np.ndarray, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Totals of resampled corpora, some rows at a time."""
    n = len(tallies)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        draws = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(draws.ravel(), minlength=size * n).reshape(size, n) @ tallies


def _swapped(
    first: np.ndarray, second: np.ndarray, resamples: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Totals of both systems with their answers swapped at random."""
    total, differences = first.sum(axis=0), second - first
    sums = total + second.sum(axis=0)
    for start in range(0, resamples, CHUNK):
        swaps = rng.integers(2, size=(min(CHUNK, resamples - start), len(first))).astype(float)
        mixed = total + swaps @ differences
        yield mixed, sums - mixed


def _metrics(task: Task, totals: Iterator[np.ndarray]) -> dict[str, np.ndarray]:
    parts = [task.metrics(chunk) for chunk in totals]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _percentiles(values: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
