"""Show a run's batches before anything is trained: `python -m recipes.schedule CONFIG`.

The run's own config decides batches and passes, as it does in `recipes.train`. The rows are those of the table that
`recipes.embed` wrote; without one, a made-up table in realistic proportions stands in.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes.errors import RecipeError
from recipes.schedule import ScheduleConfig, ScheduleTable, build_schedule
from recipes.schedule.measure import RunMeasures, diversity, measure_run
from recipes.schedule.plot import TASK_COLUMNS, draw, facts, page, task_rows
from recipes.schedule.stream import Schedule
from recipes.schedule.synthetic import synthetic_embeddings, synthetic_table

SYNTHETIC_ROWS = 50_000
UNIFORM_BATCHES = 100  # enough for a mean within one per cent


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    try:
        inspect(options)
    except RecipeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m recipes.schedule", description=__doc__)
    parser.add_argument(
        "config", type=Path, help="a run's TOML file; its [schedule], train.seed and train.accumulation are read"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override, as in train.py")
    parser.add_argument("--table", type=Path, help="the data: table.npz of recipes.embed")
    parser.add_argument("--embeddings", type=Path, help="of the table's rows: embeddings.npy of recipes.embed")
    parser.add_argument("--processes", type=int, default=1, help="as accelerate launch --num_processes will be given")
    parser.add_argument("--plot", action="store_true", help="also draw it")
    parser.add_argument("--out", type=Path, default=Path("schedule.html"), help="the drawing: .html, .png or .svg")
    return parser.parse_args(arguments)


def inspect(options: argparse.Namespace) -> None:
    """Everything `main` does."""

    from recipes.config import load_config

    if options.out.suffix not in (".html", ".png", ".svg"):
        raise RecipeError(f"--out {options.out}: give a name that ends in .html, .png or .svg")
    config = load_config(options.config, options.set)
    seed, accumulation = config.train.seed, config.train.accumulation
    table, embeddings = read_data(options)
    schedule = build_schedule(config.schedule, table, embeddings, seed=seed)
    run = measure_run(schedule, embeddings, world_size=options.processes, accumulation=accumulation)
    uniform = uniform_diversity(config.schedule, table, embeddings, seed)
    report(schedule, run, uniform)
    if options.plot:
        write_plot(options.out, f"Schedule of {options.config}", schedule, run, uniform)
        print(f"drawn: {options.out}")


def read_data(options: argparse.Namespace) -> tuple[ScheduleTable, np.ndarray | None]:
    """The table of `--table` with its embeddings, or a made-up one."""
    if options.table is None:
        if options.embeddings:
            raise RecipeError("--embeddings without --table: whose rows are they? Give both.")
        print(f"no --table: a made-up one of {SYNTHETIC_ROWS:,} rows stands in")
        table = synthetic_table(SYNTHETIC_ROWS)
        return table, synthetic_embeddings(table, 64)
    if options.embeddings and not options.embeddings.is_file():
        raise RecipeError(f"{options.embeddings}: no such file. recipes/embed.py makes it.")
    embeddings = np.load(options.embeddings, mmap_mode="r", allow_pickle=False) if options.embeddings else None
    return ScheduleTable.load(options.table), embeddings


def uniform_diversity(
    config: ScheduleConfig, table: ScheduleTable, embeddings: np.ndarray | None, seed: int
) -> float | None:
    """The diversity of uniform batches of the same size over the same data."""
    if embeddings is None:
        return None
    uniform = ScheduleConfig(kind="uniform", steps=UNIFORM_BATCHES, batch_size=config.batch_size)
    return float(np.nanmean([diversity(b, table, embeddings) for b in build_schedule(uniform, table, seed=seed)]))


def report(schedule: Schedule, run: RunMeasures, uniform: float | None) -> None:
    """Print the run in numbers, its phases, its tasks and the notes."""
    print(facts(schedule, run, uniform))
    for name, phase in {phase.name: phase for phase in schedule.phases}.items():
        tasks = ", ".join(f"{task} {weight / sum(phase.tasks.values()):.0%}" for task, weight in phase.tasks.items())
        print(f"  {name}: {phase.steps} steps, {phase.picker}, {tasks}")
    rows = [TASK_COLUMNS, *task_rows(schedule, run)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(TASK_COLUMNS))]
    for row in rows:
        print("  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    for note in schedule.notes:
        print(f"note: {note}")


def write_plot(path: Path, title: str, schedule: Schedule, run: RunMeasures, uniform: float | None) -> None:
    figure = draw(schedule, run, uniform_diversity=uniform)
    if path.suffix == ".html":
        path.write_text(page(title, figure, schedule, run, uniform_diversity=uniform), encoding="utf-8")
    else:
        figure.suptitle(f"{title}\n{facts(schedule, run, uniform)}", x=0.01, ha="left", fontsize=11)
        figure.savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
