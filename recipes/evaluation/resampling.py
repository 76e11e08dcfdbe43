"""Intervals and tests by resampling, for any metric that is a function of summed tallies.

Three things make a score differ from the next: the training (its seed), the recordings or speakers of the test set, and
their examples. Each is resampled as it comes:

- *Recordings or speakers* (`groups`) are drawn whole, since the passages of one recording err together. A resample is a
  vector of how often each example is drawn; a thousand of them are a matrix, and that matrix times the tallies gives a
  thousand corpora's totals at once. Without groups every example is its own.
- *Differences* are paired: under the null hypothesis the two systems' answers to a group could have been swapped, so we
  swap them at random (Noreen 1989, by group) and ask how often the difference is as large as the one seen.
- *Seeds* are too few to be drawn: three of three, with replacement, have a variance a third too small, and identical
  schedules would be called different in one case of five. So the error of their mean is drawn from Student's t, with
  the spread of the runs' own metrics (Welch's, for two systems). Fewer than `FEWEST_SEEDS` runs say nothing of training.

Macro-F1 and corpus chrF, which are no means over examples, are treated as exactly as accuracy is. Each run is scored by
itself and the scores averaged: the macro-F1 of the mean confusion matrix is one that no run reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Rows of the resampling matrix made at once: 64 × 20,000 examples are 10 MB.
CHUNK = 64
FEWEST_SEEDS = 3
POWER = 0.8  # of the experiments that `Difference.detectable` speaks of


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
    groups: int
    """Recordings or speakers that were swapped whole; as many as there are examples where none is known."""
    detectable: float
    """The smallest true difference that four of five such experiments would call one."""

    def significant(self, level: float = 0.05) -> bool:
        return self.p_value < level


class Scorer(Protocol):
    """Whatever turns summed tallies into metrics: a task, or a judge's grades."""

    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]: ...


def bootstrap(
    task: Scorer,
    tallies: np.ndarray,
    *,
    groups: Sequence[str] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Every metric with its percentile interval, from tallies (examples × columns) or those of several runs (runs × …)."""
    runs, members = _runs(tallies), _members(tallies, groups)
    by_group = _grouped(runs, members)
    by_run = task.metrics(runs.sum(axis=1, keepdims=True))
    drawn = _joined(
        (_mean_metrics(task, weights @ by_group) for weights in _draws(by_group.shape[1], resamples, seed)), by_run
    )
    rng = np.random.default_rng([seed, 2])
    intervals = {}
    for name, values in by_run.items():
        value, training = float(values.mean()), _training_error([values[:, 0]])
        intervals[name] = Interval(value, *_percentiles(drawn[name] + training.draw(rng, resamples), confidence))
    return intervals


def compare_paired(
    task: Scorer,
    first: np.ndarray,
    second: np.ndarray,
    *,
    groups: Sequence[str] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """Test the difference of two systems on the same examples. Tallies are (examples × columns) or (runs × …)."""
    ours, theirs = _runs(first), _runs(second)
    if ours.shape[1:] != theirs.shape[1:]:
        raise ValueError(f"tallies of different examples: {first.shape} and {second.shape}")
    members = _members(first, groups)
    our_groups, their_groups = _grouped(ours, members), _grouped(theirs, members)
    count = our_groups.shape[1]
    our_runs, their_runs = (task.metrics(runs.sum(axis=1)) for runs in (ours, theirs))
    drawn = _joined(
        (
            _minus(_mean_metrics(task, weights @ their_groups), _mean_metrics(task, weights @ our_groups))
            for weights in _draws(count, resamples, seed)
        ),
        our_runs,
    )
    null = _joined(
        (_minus(*_swapped(task, our_groups, their_groups, swaps)) for swaps in _swaps(count, resamples, seed)), our_runs
    )
    rng = np.random.default_rng([seed, 2])
    return {
        name: _difference(
            (our_runs[name], their_runs[name]), drawn[name], null[name],
            rng=rng, confidence=confidence, examples=ours.shape[1], groups=count,
        )
        for name in our_runs
    }  # fmt: skip


def _difference(
    by_run: tuple[np.ndarray, np.ndarray],
    drawn: np.ndarray,
    null: np.ndarray,
    *,
    rng: np.random.Generator,
    confidence: float,
    examples: int,
    groups: int,
) -> Difference:
    """One metric's difference, from each run's value and from the resampled differences."""
    first, second = (float(values.mean()) for values in by_run)
    training = _training_error(by_run)
    error = training.draw(rng, len(drawn))
    low, high = _percentiles(drawn + error, confidence)
    # Rounding in sums must not make an equal difference look smaller than itself.
    as_large = np.abs(null + error) >= abs(second - first) - 1e-9
    p_value = (1 + int(as_large.sum())) / (1 + len(null))
    expected = null + error * training.median_correction
    size = float(np.quantile(np.abs(expected), confidence) + np.quantile(expected, POWER))
    return Difference(first, second, second - first, low, high, p_value, examples, groups, detectable=size)


@dataclass(frozen=True)
class _TrainingError:
    """How far a mean over seeds may be from the mean over all seeds: Student's t, scaled."""

    scale: float = 0.0
    freedom: float = 1.0

    @property
    def median_correction(self) -> float:
        """A spread over few seeds is too small more often than too large; times this, it is so as often (chi-square)."""
        return float((1 - 2 / (9 * self.freedom)) ** -1.5)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return self.scale * rng.standard_t(self.freedom, size=count) if self.scale else np.zeros(count)


def _training_error(systems: Sequence[np.ndarray]) -> _TrainingError:
    """Of the sum or difference of several systems' means over seeds, by Welch and Satterthwaite; none below three seeds."""
    parts = [(float(np.var(v, ddof=1)) / len(v), len(v) - 1) for v in systems if len(v) >= FEWEST_SEEDS]
    total = sum(variance for variance, _ in parts)
    if total < 1e-24:  # equal runs, to rounding
        return _TrainingError()
    return _TrainingError(math.sqrt(total), total**2 / sum(variance**2 / freedom for variance, freedom in parts))


def _runs(tallies: np.ndarray) -> np.ndarray:
    """(runs, examples, columns), where one run's tallies may come without the first axis."""
    return tallies[None] if tallies.ndim == 2 else tallies


def _members(tallies: np.ndarray, groups: Sequence[str] | None) -> np.ndarray | None:
    """The number of each example's group; None where each is its own, or all would be in one."""
    if groups is None:
        return None
    if len(groups) != tallies.shape[-2]:
        raise ValueError(f"{len(groups)} groups for {tallies.shape[-2]} examples")
    names, members = np.unique(np.array(groups), return_inverse=True)
    return members if 1 < len(names) < len(members) else None


def _grouped(runs: np.ndarray, members: np.ndarray | None) -> np.ndarray:
    """The tallies of each group summed: (runs, groups, columns)."""
    if members is None:
        return runs
    sums = np.zeros((runs.shape[0], int(members.max()) + 1, runs.shape[2]))
    for total, run in zip(sums, runs, strict=True):
        np.add.at(total, members, run)
    return sums


def _mean_metrics(task: Scorer, totals: np.ndarray) -> dict[str, np.ndarray]:
    """Every metric of each run's totals (runs × resamples × columns), averaged over the runs."""
    return {name: values.mean(axis=0) for name, values in task.metrics(totals).items()}


def _draws(groups: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each group is drawn (resamples × groups), some resamples at a time."""
    rng = np.random.default_rng(seed)
    for size in _chunks(resamples):
        drawn = rng.integers(groups, size=(size, groups)) + groups * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups).astype(float)


def _swaps(groups: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """1 where the two systems' answers to a group are swapped, else 0."""
    rng = np.random.default_rng([seed, 1])
    for size in _chunks(resamples):
        yield rng.integers(2, size=(size, groups)).astype(float)


def _chunks(resamples: int) -> Iterator[int]:
    for start in range(0, resamples, CHUNK):
        yield min(CHUNK, resamples - start)


def _swapped(
    task: Scorer, first: np.ndarray, second: np.ndarray, swaps: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Both systems' metrics with the answers to some groups swapped.

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
    return {name: values[name] - others[name] for name in values if name in others}


def _joined(parts: Iterator[dict[str, np.ndarray]], names: Iterable[str]) -> dict[str, np.ndarray]:
    """The resamples of each metric; 0 where none of a part's resamples drew anything that the metric is about."""
    listed = list(parts)
    nothing = [np.zeros_like(next(iter(part.values()))) for part in listed]
    return {
        name: np.concatenate([part.get(name, zero) for part, zero in zip(listed, nothing, strict=True)])
        for name in names
    }


def _percentiles(values: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
