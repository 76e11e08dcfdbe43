"""The result of an evaluation: `metrics.json`, a plain tree that other tools can read.

Each task has its metrics with intervals, its slices, the confusion matrix of discriminative tasks, and the grades of
optional graders. Beside it lie the predictions it was computed from, so that any other number can be had later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recipes.evaluation.config import EvalConfig
from recipes.evaluation.groups import groups_of
from recipes.evaluation.predictions import Prediction, by_task, write_predictions
from recipes.evaluation.resampling import bootstrap
from recipes.evaluation.slices import slices
from recipes.tasks import Task
from recipes.tasks.classification import Classification

METRICS_FILE, PREDICTIONS_FILE = "metrics.json", "predictions.jsonl"


def evaluate_predictions(
    predictions: Iterable[Prediction], tasks: Mapping[str, Task], config: EvalConfig, *, seed: int = 0
) -> dict[str, Any]:
    """Every task's scores, heard and read apart: pure, from answers alone."""
    return {
        name: evaluate_task(tasks[rows[0].task], rows, config, seed=seed) for name, rows in by_task(predictions).items()
    }


def evaluate_task(task: Task, rows: Sequence[Prediction], config: EvalConfig, *, seed: int = 0) -> dict[str, Any]:
    """One task's metrics with intervals, over all its examples and over each slice."""
    tallies = task.tally([row.answer for row in rows], [row.reference for row in rows])

    def scored(indices: Sequence[int]) -> dict[str, Any]:
        part, groups = tallies[list(indices)], groups_of([rows[i] for i in indices])
        intervals = bootstrap(
            task, part, groups=groups.names, resamples=config.resamples, confidence=config.confidence, seed=seed
        )
        return {
            "examples": len(part),
            "resampled_by": groups.unit,
            "groups": groups.count,
            "metrics": {name: asdict(interval) for name, interval in intervals.items()},
        }

    result = {
        "kind": task.kind,
        "headline": task.headline,
        "lower_is_better": task.lower_is_better,
        **scored(range(len(rows))),
        "slices": {
            kind: {name: scored(indices) for name, indices in groups.items()}
            for kind, groups in slices(rows, config).items()
        },
    }
    if isinstance(task, Classification):
        cells = task.confusion(tallies.sum(axis=0)).astype(int)
        result["confusion"] = {"labels": list(task.inventory.codes), "rows": cells.tolist()}
    return result


def write_report(
    folder: Path, predictions: Sequence[Prediction], results: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    """`predictions.jsonl` first, so that a metrics file always has its predictions beside it."""
    write_predictions(folder / PREDICTIONS_FILE, predictions)
    text = json.dumps({**facts, "tasks": results}, ensure_ascii=False, indent=1, allow_nan=False)
    temporary = folder / f".{METRICS_FILE}.writing"
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(folder / METRICS_FILE)


def read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    return report


def terminal_table(results: Mapping[str, Any]) -> str:
    """Task, metric, value and interval, for the terminal."""
    lines = [f"{'task':<14} {'metric':<9} {'value':>8}  {'interval':<18} {'examples':>8}"]
    for task, result in results.items():
        for name, m in result["metrics"].items():
            mark = "*" if name == result["headline"] else " "
            interval = f"{m['low']:.4f} to {m['high']:.4f}"
            lines.append(f"{task:<14} {name + mark:<9} {m['value']:>8.4f}  {interval:<18} {result['examples']:>8}")
    lines += [f"{task}: {text}" for task, result in results.items() if (text := _judged(result.get("judge")))]
    return "\n".join(lines)


def _judged(judge: Mapping[str, Any] | None, *, at_most: int = 3) -> str:
    """What the judge graded, and the names of what it could not."""
    if judge is None:
        return ""
    means = ", ".join(f"{name} {m['value']:.2f}" for name, m in judge["metrics"].items()) or "no grades"
    named = [f"{example} ({reason})" for example, reason in list(judge["failures"].items())[:at_most]]
    more = [f"{judge['failed'] - at_most} more"] if judge["failed"] > at_most else []
    failed = f"; {judge['failed']} gradings failed: {', '.join([*named, *more])}" if named else ""
    return f"{means} by {judge['model']} on {judge['graded']} examples{failed}"
