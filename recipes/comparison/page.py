"""Writes a comparison as one HTML file, and as Markdown with SVG files beside it.

The HTML refers to nothing outside itself. The words and the layout are in the two templates next to this
module; the functions here prepare the values, already as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.comparison.charts import legend, line_chart
from recipes.comparison.curves import (
    Curve,
    late_volatility,
    loss_curves,
    mean_volatility,
    metric_curves,
    share_curves,
    volatility_curves,
)
from recipes.comparison.judged import Judged
from recipes.comparison.runs import ComparedRuns, Contender, Run
from recipes.comparison.scores import Score, TaskScores
from recipes.evaluation.config import EvalConfig
from recipes.evaluation.groups import counted
from recipes.evaluation.judge import GRADES
from recipes.evaluation.resampling import Difference, Interval

TASK_TITLES = {
    "asr": "Speech recognition",
    "ssum": "Speech summarization",
    "text_summ": "Text summarization",
    "dialect": "Dialect identification",
    "emotion": "Emotion identification",
}
MODALITY_TITLES = {"text": " from text", "foreign": " in another language"}
METRIC_TITLES = {
    "wer": "WER",
    "cer": "CER",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "chrf": "chrF",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "wer_arabic": "WER, Arabic script",
    "wer_latin": "WER, Latin script",
    "accuracy": "accuracy",
    "invalid": "invalid answers",
}
KIND_TITLES = {
    "dialect": "dialect",
    "length": "length of the clip",
    "snr": "signal-to-noise ratio",
    "language": "language",
}


def write_pages(
    folder: Path, compared: ComparedRuns, tasks: Sequence[TaskScores], config: EvalConfig, *, title: str
) -> Path:
    """`index.html`, `index.md` and `plots/*.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    order = [contender.name for contender in compared.contenders]
    charts = draw_charts(compared, tasks, order)
    (folder / "plots").mkdir(exist_ok=True)
    for chart in charts:
        (folder / "plots" / f"{chart['id']}.svg").write_text(chart["svg"], encoding="utf-8")
    content = {
        "title": title,
        "source": compared.source,
        "confidence": f"{100 * config.confidence:g}",
        "resamples": config.resamples,
        "profile": compared.config.data.profile,
        "contenders": [describe_contender(contender) for contender in compared.contenders],
        "seeds": max(len(contender.runs) for contender in compared.contenders),
        "tasks": [describe_task(task, order) for task in tasks],
        "charts": charts,
        "legend": legend(order),
    }
    for name in ("html", "md"):
        (folder / f"index.{name}").write_text(_render(f"page.{name}.j2", content), encoding="utf-8")
    return folder / "index.html"


def draw_charts(compared: ComparedRuns, tasks: Sequence[TaskScores], order: Sequence[str]) -> list[dict[str, str]]:
    """Loss, volatility, and each task's headline metric over the steps; those that have any points."""
    wanted: list[tuple[str, str, str, list[Curve]]] = [
        ("loss", "Training loss", "loss", loss_curves(compared.contenders)),
        ("volatility", "Gradient-norm volatility", "sd of ln ‖g‖", volatility_curves(compared.contenders)),
    ]
    for scored in tasks:
        metric = METRIC_TITLES.get(scored.task.headline, scored.task.headline)
        curves = metric_curves(compared.contenders, scored.name, scored.task.headline)
        wanted.append((f"task-{scored.name}", f"{_task_title(scored)}: {metric} on validation", metric, curves))
    for task in {scored.name.partition("+")[0]: scored.task.name for scored in tasks}.values():
        title = f"{TASK_TITLES.get(task, task)}: share of the loss"
        wanted.append((f"share-{task}", title, "share", share_curves(compared.contenders, task)))
    return [
        {"id": key, "title": title, "svg": line_chart(curves, title=title, y_label=label, order=order)}
        for key, title, label, curves in wanted
        if curves
    ]


def describe_contender(contender: Contender) -> dict[str, Any]:
    """One row of the page's table of contenders."""
    run = contender.runs[0]
    whole, late = mean_volatility(contender), late_volatility(contender)
    return {
        "name": contender.name,
        "schedule": run.config.schedule.kind if run.config else "none",
        "runs": len(contender.runs),
        "steps": run.steps[-1]["step"] if run.steps else None,
        "tokens": f"{tokens_of(run):,}" if run.steps else None,
        "best_steps": ", ".join(str(run.best_step) for run in contender.runs if run.best_step is not None),
        "volatility": f"{whole:.3f}" if whole is not None else None,
        "late_volatility": f"{late:.3f}" if late is not None else None,
    }


def tokens_of(run: Run) -> int:
    """Tokens trained on. A log that skips steps is taken as a sample of them."""
    logged = sum(int(line["tokens"]) for line in run.steps)
    return round(logged * int(run.steps[-1]["step"]) / len(run.steps))


def describe_task(scored: TaskScores, order: Sequence[str]) -> dict[str, Any]:
    """All that the page shows of one task."""
    names = list(scored.scores[0].metrics)
    metrics = [scored.task.headline, *(name for name in names if name != scored.task.headline)]
    return {
        "name": scored.name,
        "title": _task_title(scored),
        "examples": scored.examples,
        "groups": counted(scored.groups.count, scored.groups.unit),
        "better": "lower is better" if scored.task.lower_is_better else "higher is better",
        "headline": METRIC_TITLES.get(scored.task.headline, scored.task.headline),
        "metrics": [METRIC_TITLES.get(name, name) for name in metrics],
        "first": next(score.contender for score in scored.scores if not score.against_first),
        "rows": [describe_score(score, scored, metrics, order) for score in scored.scores],
        "slices": describe_slices(scored),
        "confusions": describe_confusions(scored),
        "shown": scored.shown,
        "judged": describe_judged(scored.judged),
    }


def describe_score(score: Score, scored: TaskScores, metrics: Sequence[str], order: Sequence[str]) -> dict[str, Any]:
    """One contender's row in a task's table."""
    headline = scored.task.headline
    values = [other.metrics[headline].value for other in scored.scores]
    best = min(values) if scored.task.lower_is_better else max(values)
    difference = score.against_first.get(headline)
    return {
        "name": score.contender,
        "number": order.index(score.contender) % 8,
        "best": score.metrics[headline].value == best and len(set(values)) > 1,
        "cells": [interval_text(score.metrics[name], score.spread.get(name)) for name in metrics],
        "difference": f"{difference.difference:+.3f}" if difference else "",
        "between": f"{difference.low:+.3f} to {difference.high:+.3f}" if difference else "",
        "p": p_text(difference.p_value) if difference and not score.no_verdict else "",
        "detectable": f"{difference.detectable:.3f}" if difference and not score.no_verdict else "",
        "verdict": _verdict(score, scored),
        "bar": _bar(score.metrics[headline], scored),
    }


def interval_text(interval: Interval, spread: float | None) -> dict[str, str]:
    digits = 1 if max(abs(interval.value), abs(interval.high)) > 5 else 3
    return {
        "value": f"{interval.value:.{digits}f}",
        "interval": f"{interval.low:.{digits}f} to {interval.high:.{digits}f}",
        "spread": "" if spread is None else f"± {spread:.{digits}f}",
    }


def p_text(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def describe_slices(scored: TaskScores) -> list[dict[str, Any]]:
    """The headline metric by slice: a table for each kind, a row for each slice, a column for each contender."""
    return [
        {
            "title": KIND_TITLES.get(kind, kind),
            "columns": [score.contender for score in scored.scores],
            "rows": [
                (part, [interval_text(score.slices[kind][part], None) for score in scored.scores]) for part in parts
            ],
        }
        for kind, parts in scored.scores[0].slices.items()
    ]


def describe_confusions(scored: TaskScores) -> list[dict[str, Any]]:
    """Confusion matrices: shares for the colour, counts for the text; labels in no reference and no answer are left out."""
    if not scored.scores[0].confusion:
        return []
    labels = [*scored.task.inventory.codes, "invalid"]  # type: ignore[attr-defined]
    used_rows = [i for i in range(len(labels) - 1) if any(sum(score.confusion[i]) for score in scored.scores)]
    answered = [j for j in range(len(labels)) if any(row[j] for score in scored.scores for row in score.confusion)]
    columns = sorted({*used_rows, *answered})
    cells = (cell for score in scored.scores for row in score.confusion for cell in row)
    digits = 0 if all(abs(cell - round(cell)) < 1e-6 for cell in cells) else 1
    return [
        {
            "name": score.contender,
            "columns": [labels[j] for j in columns],
            "rows": [(labels[i], [_cell(score.confusion[i], j, i == j, digits) for j in columns]) for i in used_rows],
        }
        for score in scored.scores
    ]


def describe_judged(judged: Judged | None) -> dict[str, Any] | None:
    """The judge's table: a row a contender, a cell a grade; or why there is none."""
    if judged is None:
        return None
    why = "" if judged.scores else "No summary was graded for every contender."
    if len(judged.judges) > 1:
        why = "They were graded by different judges, whose grades can't be compared."
    rows = [
        {
            "name": score.contender,
            "cells": [
                {
                    **interval_text(score.metrics[grade], score.spread.get(grade)),
                    "against": _against(score.against_first.get(grade), score.no_verdict),
                }
                for grade in GRADES
            ],
            "failed": score.failed,
        }
        for score in judged.scores
    ]
    return {
        "judges": ", ".join(judged.judges),
        "examples": judged.examples,
        "why": why,
        "grades": GRADES,
        "rows": rows,
        "first": rows[0]["name"] if rows else "",
    }


def _against(difference: Difference | None, no_verdict: str) -> str:
    if difference is None:
        return ""
    verdict = f"no verdict: {no_verdict}" if no_verdict else f"p {p_text(difference.p_value)}"
    return f"{difference.difference:+.2f}, {verdict}"


def _cell(row: Sequence[float], column: int, right: bool, digits: int) -> dict[str, Any]:
    total = sum(row)
    share = row[column] / total if total else 0.0
    return {"text": f"{row[column]:.{digits}f}", "share": round(share, 3), "right": right}


def _bar(interval: Interval, scored: TaskScores) -> dict[str, float]:
    """Where interval and value lie, in percent of the widest any contender needs."""
    ends = [score.metrics[scored.task.headline] for score in scored.scores]
    low, high = min(0.0, *(end.low for end in ends)), max(end.high for end in ends) or 1.0
    place = {name: 100 * (getattr(interval, name) - low) / (high - low) for name in ("value", "low", "high")}
    return {name: round(value, 2) for name, value in place.items()}


def _verdict(score: Score, scored: TaskScores) -> str:
    """Whether the contender is better or worse than the first beyond chance, in a word."""
    difference = score.against_first.get(scored.task.headline)
    if difference is None:
        return "the reference"
    if score.no_verdict:
        return f"no verdict: {score.no_verdict}"
    if not difference.significant():
        return "no significant difference"
    better = (difference.difference < 0) == scored.task.lower_is_better
    return "significantly better" if better else "significantly worse"


def _task_title(scored: TaskScores) -> str:
    title = TASK_TITLES.get(scored.task.name, scored.task.name)
    return title + MODALITY_TITLES.get(scored.name.partition("+")[2], "")


def _render(template: str, content: dict[str, Any]) -> str:
    """Fill a template, escaped as HTML where it is one."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=template.endswith("html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(content)
