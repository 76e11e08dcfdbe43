"""Curves over the steps, from the logs of several seeds: the mean as a line, the seeds' range as a band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recipes.comparison.runs import Contender, Run

Points = Callable[[Run], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Curve:
    contender: str
    steps: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def loss_curves(contenders: Sequence[Contender], *, window: int = 0) -> list[Curve]:
    """Training loss, averaged over a window (a fortieth of the run by default)."""
    return _curves(contenders, lambda run: _smoothed(run, "loss", window))


def volatility_curves(contenders: Sequence[Contender], *, window: int = 0) -> list[Curve]:
    """How much the gradient norm jumps: the standard deviation of its logarithm over a window.

    Of the logarithm, so that a schedule with large steady gradients is not called volatile; and per target token, since a
    mean over few tokens is noisy whatever the schedule: the norm times the root of their number.
    """
    return _curves(contenders, lambda run: gradient_volatility(run, window))


def share_curves(contenders: Sequence[Contender], task: str) -> list[Curve]:
    """A task's share of the loss over the steps, averaged over a fortieth of the run."""

    def points(run: Run) -> tuple[np.ndarray, np.ndarray]:
        lines = [line for line in run.steps if "loss_share" in line]
        shares = np.array([line["loss_share"].get(task, 0.0) for line in lines])
        return _averaged(np.array([line["step"] for line in lines]), shares, 0)

    return _curves(contenders, points)


def metric_curves(contenders: Sequence[Contender], task: str, metric: str) -> list[Curve]:
    """A validation metric over the steps."""

    def points(run: Run) -> tuple[np.ndarray, np.ndarray]:
        points = [
            (line["step"], line["eval"][task][metric])
            for line in run.evaluations
            if metric in line["eval"].get(task, {})
        ]
        return np.array([step for step, _ in points]), np.array([value for _, value in points], dtype=float)

    return _curves(contenders, points)


def gradient_volatility(run: Run, window: int = 0) -> tuple[np.ndarray, np.ndarray]:
    steps, norms = _column(run, "grad_norm")
    norms = norms * np.sqrt([line.get("targets", 1) for line in run.steps])
    window = window or max(5, len(steps) // 20)
    if len(steps) < window:
        return steps[:0], norms[:0]
    parts = np.lib.stride_tricks.sliding_window_view(np.log(np.maximum(norms, 1e-12)), window)
    return steps[window - 1 :], parts.std(axis=1)


def mean_volatility(contender: Contender) -> float | None:
    return _mean([gradient_volatility(run)[1] for run in contender.runs])


def late_volatility(contender: Contender) -> float | None:
    """The volatility of the gradient norm over the last third of the run."""
    return _mean([volatility[-(len(volatility) // 3) :] for _, volatility in map(gradient_volatility, contender.runs)])


def _mean(runs: Sequence[np.ndarray]) -> float | None:
    values = [float(np.mean(run)) for run in runs if len(run)]
    return float(np.mean(values)) if values else None


def _column(run: Run, name: str) -> tuple[np.ndarray, np.ndarray]:
    steps = np.array([line["step"] for line in run.steps])
    return steps, np.array([line[name] for line in run.steps], dtype=float)


def _smoothed(run: Run, name: str, window: int) -> tuple[np.ndarray, np.ndarray]:
    return _averaged(*_column(run, name), window)


def _averaged(steps: np.ndarray, values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    window = min(window or max(1, len(steps) // 40), max(1, len(steps)))
    if not len(steps):
        return steps, values
    return steps[window - 1 :], np.convolve(values, np.full(window, 1 / window), mode="valid")


def _curves(contenders: Sequence[Contender], points: Points) -> list[Curve]:
    """One curve a contender from its runs' series, over the steps that all of its runs have."""
    curves = []
    for contender in contenders:
        runs = [(steps, values) for steps, values in map(points, contender.runs) if len(steps)]
        if not runs:
            continue
        # Seeds of one configuration log at the same steps; one that stopped early shortens the curve.
        common = sorted(set.intersection(*({int(step) for step in steps} for steps, _ in runs)))
        if not common:
            continue
        table = np.array([values[np.searchsorted(steps, common)] for steps, values in runs])
        curves.append(Curve(contender.name, np.array(common), table.mean(axis=0), table.min(axis=0), table.max(axis=0)))
    return curves
