"""Draws a run's schedule: tasks over the steps, balance of labels, diversity, padding.

`draw` makes the figure, `page` a self-contained HTML page around it with the same in numbers. Nothing is
computed here: `measure.py` did that.
"""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from recipes.schedule.measure import RunMeasures
from recipes.schedule.stream import Schedule
from recipes.schedule.table import MODALITIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by colour-blind eyes too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#999999")
INK = "#222222"
FAINT = "#b5b5b5"
POINTS = 300  # along the steps; more can't be seen


def draw(schedule: Schedule, run: RunMeasures, *, uniform_diversity: float | None) -> Figure:
    """The picture; `uniform_diversity` is what a uniform batch over the same data has, to compare with."""
    from matplotlib.figure import Figure

    spoken = [i for i in range(len(MODALITIES)) if run.modalities[:, i].any()]
    heights = [3.0, 1.1 if len(spoken) > 1 else 0.0, 1.7, 1.7]
    figure = Figure(figsize=(14, 9), layout="constrained", facecolor="white")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1.75, 1)).flat
    shown_heights = [height for height in heights if height]
    axes = list(np.atleast_1d(left.subplots(len(shown_heights), 1, sharex=True, height_ratios=shown_heights)))
    draw_shares(axes[0], run.tasks, schedule.table.tasks, "share of the batch by task")
    name_phases(axes[0], run.phases)
    if len(spoken) > 1:
        names = [MODALITIES[i] for i in spoken]
        draw_shares(axes[1], run.modalities[:, spoken], names, "by modality", colours=("#7a5195", "#bcbcbc", "#ffa600"))
    draw_diversity(axes[-2], run, uniform_diversity)
    draw_padding(axes[-1], run)
    axes[-1].set_xlabel("step")
    axes[-1].set_xlim(0, len(run.phases))
    draw_labels(right.subplots(), schedule, run)
    for ax in axes:
        mark_phases(ax, run.phases)
    return figure


def draw_shares(
    ax: Axes, shares: np.ndarray, names: Sequence[str], title: str, *, colours: Sequence[str] = COLOURS
) -> None:
    """Shares of the batches over the steps as stacked areas: of tasks, or of text and speech."""
    steps, averaged = average(shares)
    ax.stackplot(steps, averaged.T, colors=[colours[i % len(colours)] for i in range(len(names))], step="post", lw=0)
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.set_title(title, loc="left", fontsize=11, color=INK, pad=20 if len(names) > 3 or "task" in title else 6)
    middle = shares.mean(axis=0) > 0
    handles = [(name, colours[i % len(colours)]) for i, name in enumerate(names) if middle[i]]
    ax.legend(
        handles=[patch(colour) for _, colour in handles],
        labels=[name for name, _ in handles],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=9,
    )
    tidy(ax)


def draw_diversity(ax: Axes, run: RunMeasures, uniform: float | None) -> None:
    """The diversity of batches over the steps, beside that of uniform batches."""
    ax.set_title("mean distance between the batch's clips, in aligner space", loc="left", fontsize=11, color=INK)
    if np.isnan(run.diversity).all():
        ax.text(0.5, 0.5, "no embeddings given", transform=ax.transAxes, ha="center", va="center", color=FAINT)
        ax.set_yticks([])
    else:
        ax.plot(run.sampled, run.diversity, ".", ms=3.5, color=COLOURS[0], alpha=0.6)
        if uniform is not None:
            ax.axhline(uniform, color=INK, lw=1, ls="--")
            ax.text(1.01, uniform, "uniform", transform=ax.get_yaxis_transform(), fontsize=9, va="center", color=INK)
    tidy(ax)


def draw_padding(ax: Axes, run: RunMeasures) -> None:
    """The share of padding over the steps, beside that of plain shuffling."""
    ax.set_title("padding, of all tokens computed", loc="left", fontsize=11, color=INK)
    ax.plot(run.sampled, run.plain_padding, ".", ms=3, color=FAINT)
    ax.plot(run.sampled, run.padding, ".", ms=3, color=COLOURS[2])
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter("{x:.0%}")
    for values, colour, name in ((run.plain_padding, "#777777", "plain\nshuffling"), (run.padding, COLOURS[2], "ours")):
        where = (1.01, float(values.mean()))
        ax.text(*where, name, transform=ax.get_yaxis_transform(), fontsize=9, va="center", color=colour)
    tidy(ax)


def draw_labels(ax: Axes, schedule: Schedule, run: RunMeasures) -> None:
    """Each label's share of its task: in the data (hollow) and in the batches (full)."""
    table = schedule.table
    position, ticks, names = 0.0, [], []
    for task, task_name in enumerate(table.tasks):
        of_task = np.flatnonzero(run.kinds[:, 0] == task)
        if not len(of_task) or not run.drawn[of_task].sum():
            continue
        colour = COLOURS[task % len(COLOURS)]
        data = run.rows[of_task] / run.rows[of_task].sum()
        drawn = run.drawn[of_task] / run.drawn[of_task].sum()
        heights = position + 1 + np.arange(len(of_task))
        ax.text(0, position + 0.1, task_name, fontsize=9.5, fontweight="bold", color=colour, va="center")
        ax.hlines(heights, data, drawn, color=colour, lw=1.2, alpha=0.5)
        ax.plot(data, heights, "o", ms=4.5, mfc="white", mec=colour)
        ax.plot(drawn, heights, "o", ms=4.5, color=colour)
        ticks += heights.tolist()
        names += [table.labels[label] for label in run.kinds[of_task, 1]]
        position = heights[-1] + 1.2
    ax.set_yticks(ticks, names, fontsize=8 if len(ticks) < 45 else 5)
    ax.set_ylim(position, -0.8)
    ax.set_xlim(left=-0.01)
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.set_title("share of its task: ○ in the data, ● in the batches", loc="left", fontsize=11, color=INK)
    ax.grid(axis="x", color="#eeeeee")
    tidy(ax)


def phase_starts(phases: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first step, step after the last, name) of each stretch."""
    starts = [i for i, name in enumerate(phases) if i == 0 or phases[i - 1] != name]
    return [(a, b, phases[a]) for a, b in zip(starts, [*starts[1:], len(phases)], strict=True)]


def name_phases(ax: Axes, phases: Sequence[str]) -> None:
    for start, end, name in phase_starts(phases):
        where = ((start + end) / 2, 1.03)
        ax.text(*where, name, transform=ax.get_xaxis_transform(), ha="center", fontsize=9, color="#555555")


def mark_phases(ax: Axes, phases: Sequence[str]) -> None:
    for start, _, _ in phase_starts(phases)[1:]:
        ax.axvline(start, color=INK, lw=0.8)


def average(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over at most POINTS stretches of steps, the last repeated so that the area reaches the end."""
    edges = np.unique(np.linspace(0, len(values), min(POINTS, len(values)) + 1).astype(int))
    means = np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None]
    return edges, np.concatenate([means, means[-1:]])


def patch(colour: str) -> object:
    from matplotlib.patches import Patch

    return Patch(color=colour)


def tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT)
    ax.tick_params(colors="#555555", labelsize=9)


def page(title: str, figure: Figure, schedule: Schedule, run: RunMeasures, *, uniform_diversity: float | None) -> str:
    """A self-contained HTML page."""
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    svg = picture.getvalue()
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in task_rows(schedule, run)
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in schedule.notes)
    return PAGE.format(
        title=html.escape(title),
        facts=html.escape(facts(schedule, run, uniform_diversity)),
        picture=svg[svg.index("<svg") :],
        head="".join(f"<th>{name}</th>" for name in TASK_COLUMNS),
        rows=rows,
        notes=f"<h2>Notes</h2><ul>{notes}</ul>" if notes else "",
    )


TASK_COLUMNS = ("task", "rows", "places in the run", "visits per row", "rows shown", "never shown")


def task_rows(schedule: Schedule, run: RunMeasures) -> list[tuple[str, ...]]:
    """For each task: rows, places, how often a row comes on average, and how many rows come at all."""
    lines: list[tuple[str, ...]] = []
    for task, name in enumerate(schedule.table.tasks):
        of_task = run.kinds[:, 0] == task
        rows, drawn = int(run.rows[of_task].sum()), int(run.drawn[of_task].sum())
        if rows:
            lines.append(
                (
                    name,
                    f"{rows:,}",
                    f"{drawn:,}",
                    f"{drawn / rows:.2f}",
                    f"{run.distinct[task] / rows:.0%}",
                    f"{rows - run.distinct[task]:,}",
                )
            )
    return lines


def facts(schedule: Schedule, run: RunMeasures, uniform_diversity: float | None) -> str:
    """The run in one line of numbers."""
    config = schedule.config
    parts = [f"{config.kind}", f"{config.steps:,} steps of {config.batch_size}", f"{len(schedule.table):,} rows"]
    parts.append(f"padding {run.padding.mean():.1%} (plain shuffling {run.plain_padding.mean():.1%})")
    parts.append(f"{run.passes.mean():.1f} passes a step")
    if uniform_diversity and not np.isnan(run.diversity).all():
        parts.append(f"distance {np.nanmean(run.diversity) / uniform_diversity:.2f} × uniform")
    return " · ".join(parts)


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; margin-bottom: .2rem; }} h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
.facts {{ color: #555; margin-top: 0; }} svg {{ width: 100%; height: auto; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .25rem 1rem .25rem 0; text-align: right; }}
td:first-child, th:first-child {{ text-align: left; }} th {{ border-bottom: 1px solid #bbb; font-weight: 600; }}
</style></head><body>
<h1>{title}</h1><p class="facts">{facts}</p>
{picture}
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>
{notes}
</body></html>
"""
