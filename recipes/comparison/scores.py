"""Scores the contenders, and tests whether their differences are more than chance.

Each run of a contender is scored by itself and the scores are averaged. From three seeds on an interval says how far
another *test set and another training* could move a score (`evaluation/resampling.py`). Every contender is tested
against the first, on the examples all have answered, and p-values are adjusted over the whole page by Holm's method:
twenty tests give one "significant" by luck. A contender that was trained with fewer than three seeds gets no verdict
and no p-value: what its runs differ by may be their seeds alone. A baseline that nothing trained needs no seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recipes.comparison.holm import holm
from recipes.comparison.judged import Judged, judge_task
from recipes.comparison.runs import ComparedRuns, Contender, seeds_lacking
from recipes.errors import RecipeError
from recipes.evaluation.config import EvalConfig
from recipes.evaluation.groups import Groups, groups_of
from recipes.evaluation.predictions import Prediction, by_example, by_task
from recipes.evaluation.resampling import Difference, Interval, bootstrap, compare_paired
from recipes.evaluation.slices import slices
from recipes.tasks import Task
from recipes.tasks.base import scored_as
from recipes.tasks.classification import Classification


@dataclass(frozen=True)
class Score:
    """One contender at one task."""

    contender: str
    metrics: Mapping[str, Interval]
    spread: Mapping[str, float]
    """Standard deviation over the seeds, for contenders with more than one run."""
    against_first: Mapping[str, Difference]
    slices: Mapping[str, Mapping[str, Interval]]
    """Kind → slice → the task's headline metric."""
    confusion: tuple[tuple[float, ...], ...] = ()
    no_verdict: str = ""
    """Why no test decides between this contender and the first; empty where one does."""


@dataclass(frozen=True)
class TaskScores:
    """All contenders at one task."""

    name: str
    """The task's own, or with what it was scored apart by: `dialect+text`."""
    task: Task
    examples: int
    groups: Groups
    """What the examples were resampled by."""
    scores: tuple[Score, ...]
    shown: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Some examples: name, reference, one answer a contender."""
    judged: Judged | None = None
    """What a judge made of the answers, where there was one."""


def score_contenders(
    compared: ComparedRuns, tasks: Mapping[str, Task], config: EvalConfig, *, seed: int = 0
) -> list[TaskScores]:
    """Score every task that anyone answered, heard and read apart, and adjust the tests over all of them."""
    names = dict.fromkeys(
        (task, scored_as(task, modality)) for task in tasks for modality in ("speech", "text", "foreign")
    )
    every_task = [
        scored
        for task, name in names
        if (scored := score_task(name, tasks[task], compared.contenders, config, seed=seed))
    ]
    if not every_task:
        raise RecipeError(f"these runs have no answers to any of their tasks ({', '.join(tasks)}).")
    return adjust_over_page(every_task)


def score_task(
    name: str, task: Task, contenders: Sequence[Contender], config: EvalConfig, *, seed: int = 0
) -> TaskScores | None:
    """Score a task on the examples that all contenders with answers to it have answered; None where nobody has any."""
    answers = {c.name: [by_task(rows).get(name, []) for rows in c.answers] for c in contenders}
    present = {who: runs for who, runs in answers.items() if all(runs)}
    if not present:
        return None
    common = _common(present)
    if not common:
        raise RecipeError(
            f"{name}: {', '.join(present)} have no example in common. Were they evaluated on the same datasets?"
        )
    tallies = {who: np.stack([_tallies(task, rows, common) for rows in runs]) for who, runs in present.items()}
    first = next(iter(tallies))
    example_rows = _ordered(present[first][0], common)
    groups = groups_of(example_rows)
    options: dict[str, Any] = {"resamples": config.resamples, "confidence": config.confidence, "seed": seed}
    few = seeds_lacking(contenders, first)
    scores = tuple(
        Score(
            contender=who,
            metrics=bootstrap(task, runs, groups=groups.names, **options),
            spread=_spread(task, runs),
            against_first={}
            if who == first
            else compare_paired(task, tallies[first], runs, groups=groups.names, **options),
            slices=_slices(task, runs, example_rows, config, options),
            confusion=_confusion(task, runs.mean(axis=0)),
            no_verdict=few[who],
        )
        for who, runs in tallies.items()
    )
    judged = judge_task(name, contenders, config, seed=seed)
    return TaskScores(name, task, len(common), groups, scores, _shown(present, common), judged)


def _slices(
    task: Task, runs: np.ndarray, rows: Sequence[Prediction], config: EvalConfig, options: Mapping[str, Any]
) -> dict[str, dict[str, Interval]]:
    """The headline metric of every slice."""
    scored: dict[str, dict[str, Interval]] = {}
    for kind, parts in slices(rows, config).items():
        for part, indices in parts.items():
            names = groups_of([rows[i] for i in indices]).names
            interval = bootstrap(task, runs[:, indices], groups=names, **options)[task.headline]
            scored.setdefault(kind, {})[part] = interval
    return scored


def adjust_over_page(tasks: Sequence[TaskScores]) -> list[TaskScores]:
    """Holm's adjustment over the headline tests; the other metrics follow the same questions and keep their own."""
    keys = [
        (t, s)
        for t, task in enumerate(tasks)
        for s, score in enumerate(task.scores)
        if score.against_first and not score.no_verdict
    ]
    headline = [tasks[t].scores[s].against_first[tasks[t].task.headline].p_value for t, s in keys]
    adjusted = dict(zip(keys, holm(headline), strict=True))
    adjusted_tasks = []
    for t, task in enumerate(tasks):
        scores = list(task.scores)
        for s, score in enumerate(scores):
            if (t, s) in adjusted:
                name = task.task.headline
                changed = replace(score.against_first[name], p_value=adjusted[t, s])
                scores[s] = replace(score, against_first={**score.against_first, name: changed})
        adjusted_tasks.append(replace(task, scores=tuple(scores)))
    return adjusted_tasks


def _common(present: Mapping[str, Sequence[Sequence[Prediction]]]) -> list[str]:
    """Examples that every run answered, in the first run's order; their references must agree."""
    runs = [
        {name: row.reference for name, row in by_example(rows).items()} for group in present.values() for rows in group
    ]
    common = [name for name in runs[0] if all(name in run for run in runs)]
    for name in common:
        if len({run[name] for run in runs}) > 1:
            raise RecipeError(
                f"{name}: the runs have different references for it. They were evaluated on different versions of "
                "the dataset: evaluate them again."
            )
    return common


def _ordered(rows: Sequence[Prediction], common: Sequence[str]) -> list[Prediction]:
    named = by_example(rows)
    return [named[name] for name in common]


def _tallies(task: Task, rows: Sequence[Prediction], common: Sequence[str]) -> np.ndarray:
    chosen = _ordered(rows, common)
    return task.tally([row.answer for row in chosen], [row.reference for row in chosen])


def _spread(task: Task, runs: np.ndarray) -> dict[str, float]:
    if len(runs) == 1:
        return {}
    values = task.metrics(runs.sum(axis=1))
    return {name: float(np.std(value, ddof=1)) for name, value in values.items()}


def _confusion(task: Task, tallies: np.ndarray) -> tuple[tuple[float, ...], ...]:
    if not isinstance(task, Classification):
        return ()
    return tuple(tuple(float(cell) for cell in row) for row in task.confusion(tallies.sum(axis=0)))


def _shown(
    present: Mapping[str, Sequence[Sequence[Prediction]]], common: Sequence[str], *, at_most: int = 4
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """A few examples spread evenly over the set, with the first run's answers of each contender."""
    step = max(1, len(common) // at_most)
    names = list(common[::step])[:at_most]
    columns = [_ordered(runs[0], names) for runs in present.values()]
    return tuple(
        (name, columns[0][i].reference, tuple(column[i].answer for column in columns)) for i, name in enumerate(names)
    )
