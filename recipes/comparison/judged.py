"""Compares the grades that a judge gave the contenders' summaries, paired by example as the scores of tasks are.

Only summaries that the judge graded for every run are compared: otherwise a run whose hard examples could not be graded
would have the better mean. What was not graded is counted and named. Grades of different judges are no comparison at
all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recipes.comparison.holm import holm
from recipes.comparison.runs import Contender, seeds_lacking
from recipes.evaluation.config import EvalConfig
from recipes.evaluation.groups import groups_of
from recipes.evaluation.judge import GRADES, Grading
from recipes.evaluation.resampling import Difference, Interval, bootstrap, compare_paired


@dataclass(frozen=True)
class JudgedScore:
    """The grades of one contender."""

    contender: str
    metrics: Mapping[str, Interval]
    spread: Mapping[str, float]
    against_first: Mapping[str, Difference]
    failed: tuple[str, ...]
    """Examples that the judge could not grade for this contender."""
    no_verdict: str = ""


@dataclass(frozen=True)
class Judged:
    judges: tuple[str, ...]
    """One, or nothing was compared."""
    examples: int
    scores: tuple[JudgedScore, ...] = ()


class _MeanGrades:
    """Tallies are an example's grades and a 1."""

    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]:
        return {name: totals[..., i] / totals[..., -1] for i, name in enumerate(GRADES)}


def judge_task(name: str, contenders: Sequence[Contender], config: EvalConfig, *, seed: int = 0) -> Judged | None:
    """The grades of all contenders whose every run was judged at this task; None where there is none."""
    graded = {
        contender.name: [[g for g in rows if g.task == name] for rows in contender.grades] for contender in contenders
    }
    present = {who: runs for who, runs in graded.items() if runs and all(runs)}
    if not present:
        return None
    judges = tuple(dict.fromkeys(grading.judge for runs in present.values() for rows in runs for grading in rows))
    named = {who: [{g.example: g.grades for g in rows if g.grades} for rows in runs] for who, runs in present.items()}
    every = [run for runs in named.values() for run in runs]
    common = [example for example in every[0] if all(example in run for run in every)]
    if len(judges) > 1 or not common:
        return Judged(judges, len(common))
    tallies = {
        who: np.array([[(*run[example], 1.0) for example in common] for run in runs]) for who, runs in named.items()
    }
    first = next(iter(tallies))
    options = {
        "resamples": config.resamples,
        "confidence": config.confidence,
        "seed": seed,
        "groups": _groups(contenders, common),
    }
    few = seeds_lacking(contenders, first)
    scores = [
        _score(who, runs, None if who == first else tallies[first], _failed(present[who]), few[who], options)
        for who, runs in tallies.items()
    ]
    return Judged(judges, len(common), _adjusted(scores))


def _score(
    who: str,
    runs: np.ndarray,
    first: np.ndarray | None,
    failed: tuple[str, ...],
    no_verdict: str,
    options: Mapping[str, Any],
) -> JudgedScore:
    """One contender's grades with intervals, and its differences from the first contender."""
    by_run = _MeanGrades().metrics(runs.sum(axis=1))
    return JudgedScore(
        contender=who,
        metrics=bootstrap(_MeanGrades(), runs, **options),
        spread={name: float(np.std(values, ddof=1)) for name, values in by_run.items()} if len(runs) > 1 else {},
        against_first={} if first is None else compare_paired(_MeanGrades(), first, runs, **options),
        failed=failed,
        no_verdict=no_verdict,
    )


def _groups(contenders: Sequence[Contender], examples: Sequence[str]) -> tuple[str, ...]:
    """The recording or speaker of each graded example, as its prediction says."""
    rows = {row.example: row for contender in contenders for answers in contender.answers for row in answers}
    if not rows.keys() >= set(examples):  # grades of a folder whose predictions are others by now
        return tuple(examples)
    return groups_of([rows[name] for name in examples]).names


def _failed(runs: Sequence[Sequence[Grading]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(grading.example for rows in runs for grading in rows if grading.grades is None))


def _adjusted(scores: Sequence[JudgedScore]) -> tuple[JudgedScore, ...]:
    """Holm's adjustment over all grades of all contenders: they are tests of their own."""
    keys = [(s, name) for s, score in enumerate(scores) for name in score.against_first if not scores[s].no_verdict]
    values = holm([scores[s].against_first[name].p_value for s, name in keys])
    changed = [dict(score.against_first) for score in scores]
    for (s, name), p_value in zip(keys, values, strict=True):
        changed[s][name] = replace(scores[s].against_first[name], p_value=p_value)
    return tuple(replace(score, against_first=table) for score, table in zip(scores, changed, strict=True))
