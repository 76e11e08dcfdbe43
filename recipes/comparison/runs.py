"""Reads runs for a comparison: their logs, their answers, and which of them are seeds of one contender.

A *contender* is a name with one or more runs: the same configuration under several seeds. A folder without
a log (a baseline's, or a base model's, as `recipes.evaluate --out` leaves it) is a run with answers only.
Answers come from each run's evaluation on the wanted split; where one of them lacks that, from the
validation subset that training looked at, for all of them alike, and the page says so. Of these the last evaluation counts and not the best:
a best one is chosen by loss, on the same examples that it would be scored on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipes.config import RecipeConfig, load_config
from recipes.errors import RecipeError
from recipes.evaluation.judge import GRADES_FILE, Grading, read_gradings
from recipes.evaluation.predictions import Prediction, read_predictions
from recipes.evaluation.report import PREDICTIONS_FILE
from recipes.evaluation.resampling import FEWEST_SEEDS
from recipes.training.checkpoint import best_step
from recipes.training.log import read_log


@dataclass(frozen=True)
class Run:
    """One run folder: its config and its log."""

    folder: Path
    config: RecipeConfig | None
    """None for a folder that holds answers only."""
    lines: tuple[dict[str, Any], ...] = ()

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "loss" in line]

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "eval" in line]

    @property
    def best_step(self) -> int | None:
        best = best_step(self.folder)
        return self.last_step if best is None else best

    @property
    def last_step(self) -> int | None:
        """The last step that was evaluated."""
        return int(self.evaluations[-1]["step"]) if self.evaluations else None


@dataclass(frozen=True)
class Contender:
    """A name with one or more runs: the same configuration under several seeds."""

    name: str
    runs: tuple[Run, ...]
    answers: tuple[list[Prediction], ...] = field(default=())
    """One list of predictions a run."""
    grades: tuple[list[Grading], ...] = field(default=())
    """One list of a judge's gradings a run; empty where it was not judged."""

    @property
    def trainings(self) -> int:
        """Its runs that were trained; a base model or a baseline has none, and seeds change nothing about it."""
        return sum(bool(run.lines) for run in self.runs)


@dataclass(frozen=True)
class ComparedRuns:
    """The contenders of a comparison; the others are compared with the first."""

    contenders: tuple[Contender, ...]
    source: str
    """Where the answers come from: a split's evaluation, or the validation subset of training."""
    config: RecipeConfig
    """Of the first run that has one: tasks, inventories and profile are the same for all."""


def read_contenders(named: Sequence[str], *, split: str) -> ComparedRuns:
    """`NAME=FOLDER` or `FOLDER`, in order; a name given again is another seed of the same contender."""
    groups: dict[str, list[Run]] = {}
    for word in named:
        name, _, folder = word.rpartition("=")
        run = read_run(Path(folder))
        groups.setdefault(name or run.folder.name, []).append(run)
    runs = [run for group in groups.values() for run in group]
    config = _shared_config(runs)
    files, source = _answer_files(runs, split)
    contenders = tuple(
        Contender(
            name,
            tuple(group),
            tuple(read_predictions(files[run.folder]) for run in group),
            tuple(_gradings(files[run.folder].with_name(GRADES_FILE)) for run in group),
        )
        for name, group in groups.items()
    )
    return ComparedRuns(contenders, source, config)


def seeds_lacking(contenders: Sequence[Contender], first: str) -> dict[str, str]:
    """For each contender why it can't be judged against the first: too few seeds of what was trained."""
    few = {c.name: f"{len(c.runs)} of {FEWEST_SEEDS} seeds" for c in contenders if 0 < c.trainings < FEWEST_SEEDS}
    reference = f"{first} has {few[first]}" if first in few else ""
    return {c.name: few.get(c.name, "") or (reference if c.name != first else "") for c in contenders}


def _gradings(path: Path) -> list[Grading]:
    return read_gradings(path) if path.is_file() else []


def read_run(folder: Path) -> Run:
    """Read a run folder, or a folder that `recipes.evaluate --out` wrote."""
    if not folder.is_dir():
        raise RecipeError(f"{folder}: no such run folder.")
    if (folder / "config.toml").is_file():
        log = folder / "log.jsonl"
        return Run(folder, load_config(folder / "config.toml"), tuple(read_log(log)) if log.is_file() else ())
    if (folder / PREDICTIONS_FILE).is_file():
        return Run(folder, None)
    raise RecipeError(
        f"{folder}: neither a run of recipes.train (no config.toml) nor an evaluation (no {PREDICTIONS_FILE})."
    )


def _shared_config(runs: Sequence[Run]) -> RecipeConfig:
    """The first run's configuration, once the others are known to be scored alike."""
    configs = [(run.folder, run.config) for run in runs if run.config]
    if not configs:
        raise RecipeError("none of these is a run of recipes.train: name at least one, for its tasks and labels.")
    folder, config = configs[0]
    for other, theirs in configs[1:]:
        if theirs.data.task_options() != config.data.task_options():
            raise RecipeError(
                f"{folder} and {other} are scored differently (labels, label language or normalization profile). "
                "Scores under different rules can't be compared."
            )
    return config


def _answer_files(runs: Sequence[Run], split: str) -> tuple[dict[Path, Path], str]:
    """The predictions of each run, and what split they are of: the wanted one, or that of training's own evaluations."""
    evaluated = {run.folder: _split_answers(run, split) for run in runs}
    if all(path.is_file() for path in evaluated.values()):
        return evaluated, f"the {split} split"
    validated = {run.folder: _validation_answers(run) for run in runs}
    for run in runs:
        if not validated[run.folder].is_file():
            raise RecipeError(
                f"{run.folder}: no answers on the {split} split, and none of training's own. Make them: "
                f"python -m recipes.evaluate {run.folder} --split {split}"
            )
    return validated, "the validation subset that training looked at, at its last evaluation"


def _split_answers(run: Run, split: str) -> Path:
    return (run.folder / "evaluation" / split if run.config else run.folder) / PREDICTIONS_FILE


def _validation_answers(run: Run) -> Path:
    if run.config is None:
        return run.folder / PREDICTIONS_FILE
    return run.folder / "predictions" / f"step-{run.last_step}.jsonl"
