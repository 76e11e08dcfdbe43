"""Intervals and tests by resampling, for any metric that is a function of summed tallies.

A bootstrap resample is a vector of how often each example is drawn; a thousand of them are a matrix, and
that matrix times the tallies gives a thousand corpora's totals at once. The paired test is approximate
randomization (Noreen 1989): under the null hypothesis the two systems' answers to an example could have
been swapped, so we swap them at random and ask how often the difference is as large as the one seen.
Macro-F1 and corpus chrF, which are no means over examples, are treated as exactly as accuracy is.

Several runs (seeds) of one system are scored each by itself, and the scores averaged: the macro-F1 of the mean
confusion matrix is one that no run reached. They are resampled together, by the same examples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Rows of the resampling matrix made at once: 64 × 20,000 examples are 10 MB.
CHUNK = 64


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much B is above A, with its interval and p-value."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float
    examples: int

    def significant(self, level: float = 0.05) -> bool:
        return self.p_value < level


class Scorer(Protocol):
    """Whatever turns summed tallies into metrics: a task, or a judge's grades."""

    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]: ...


def bootstrap(
    task: Scorer, tallies: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Every metric with its percentile interval, from tallies (examples × columns) or those of several runs (runs × …)."""
    runs = _runs(tallies)
    values = _mean_metrics(task, runs.sum(axis=1, keepdims=True))
    drawn = _joined(_mean_metrics(task, weights @ runs) for weights in _draws(runs.shape[1], resamples, seed))
    return {name: Interval(float(values[name][0]), *_percentiles(drawn[name], confidence)) for name in values}


def compare_paired(
    task: Scorer,
    first: np.ndarray,
    second: np.ndarray,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """Test the difference of two systems on the same examples. Tallies are (examples × columns) or (runs × …)."""
    ours, theirs = _runs(first), _runs(second)
    if ours.shape[1:] != theirs.shape[1:]:
        raise ValueError(f"tallies of different examples: {first.shape} and {second.shape}")
    examples = ours.shape[1]
    our_values, their_values = (_mean_metrics(task, runs.sum(axis=1, keepdims=True)) for runs in (ours, theirs))
    drawn = _joined(
        _minus(_mean_metrics(task, weights @ theirs), _mean_metrics(task, weights @ ours))
        for weights in _draws(examples, resamples, seed)
    )
    null = _joined(_minus(*_swapped(task, ours, theirs, swaps)) for swaps in _swaps(examples, resamples, seed))
    differences = {}
    for name in our_values:
        difference = float(their_values[name][0] - our_values[name][0])
        low, high = _percentiles(drawn[name], confidence)
        # Rounding in sums must not make an equal difference look smaller than itself.
        as_large = np.abs(null[name]) >= abs(difference) - 1e-9
        p_value = (1 + int(as_large.sum())) / (1 + resamples)
        differences[name] = Difference(
            float(our_values[name][0]), float(their_values[name][0]), difference, low, high, p_value, examples=examples
        )
    return differences


def _runs(tallies: np.ndarray) -> np.ndarray:
    """(runs, examples, columns), where one run's tallies may come without the first axis."""
    return tallies[None] if tallies.ndim == 2 else tallies


def _mean_metrics(task: Scorer, totals: np.ndarray) -> dict[str, np.ndarray]:
    """Every metric of each run's totals (runs × resamples × columns), averaged over the runs."""
    return {name: values.mean(axis=0) for name, values in task.metrics(totals).items()}


def _draws(examples: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each example is drawn (resamples × examples), some resamples at a time."""
    rng = np.random.default_rng(seed)
    for size in _chunks(resamples):
        drawn = rng.integers(examples, size=(size, examples)) + examples * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * examples).reshape(size, examples).astype(float)


def _swaps(examples: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """1 where the two systems' answers to an example are swapped, else 0."""
    rng = np.random.default_rng([seed, 1])
    for size in _chunks(resamples):
        yield rng.integers(2, size=(size, examples)).astype(float)


def _chunks(resamples: int) -> Iterator[int]:
    for start in range(0, resamples, CHUNK):
        yield min(CHUNK, resamples - start)


def _swapped(
    task: Scorer, first: np.ndarray, second: np.ndarray, swaps: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Both systems' metrics with the answers to some examples swapped.

    Run i of one is swapped with run i of the other. Where one has fewer runs, they come round again until both
    are through: each counts as often as any other, so that nothing swapped gives the metrics as they were.
    """
    pairs = math.lcm(len(first), len(second))
    of_first, of_second = np.arange(pairs) % len(first), np.arange(pairs) % len(second)
    moved, moved_back = swaps @ first, swaps @ second
    exchanged = moved_back[of_second] - moved[of_first]
    return (
        _mean_metrics(task, first.sum(axis=1, keepdims=True)[of_first] + exchanged),
        _mean_metrics(task, second.sum(axis=1, keepdims=True)[of_second] - exchanged),
    )


def _minus(values: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: values[name] - others[name] for name in values}


def _joined(parts: Iterator[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    listed = list(parts)
    return {name: np.concatenate([part[name] for part in listed]) for name in listed[0]}


def _percentiles(values: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
