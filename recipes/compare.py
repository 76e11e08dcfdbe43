"""Compare several runs on one page, with intervals, significance and curves.

    python -m recipes.compare runs/uniform runs/tpc runs/ads runs/hybrid --out runs/page
    python -m recipes.compare uniform=runs/u-0 uniform=runs/u-1 ads=runs/a-0 ads=runs/a-1 --out runs/page

`NAME=FOLDER` names a contender; a name given again is another seed of it. The first contender is what the
others are tested against. A folder may be a run of `recipes.train` or what `recipes.evaluate --out` wrote for
a base model or a baseline. Writes `index.html` (one file, nothing outside it) and `index.md` with its plots.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recipes.comparison.page import write_pages
from recipes.comparison.runs import read_contenders
from recipes.comparison.scores import score_contenders
from recipes.errors import RecipeError
from recipes.tasks import build_tasks


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.compare", description="Put several runs beside each other.")
    parser.add_argument("runs", nargs="+", metavar="[NAME=]FOLDER", help="run folders, the reference first")
    parser.add_argument("--out", type=Path, required=True, help="folder for the page")
    parser.add_argument("--split", default="test", help="whose evaluations to compare, where every run has one")
    parser.add_argument("--title", default="Data schedules compared", help="of the page")
    options = parser.parse_args(arguments)
    try:
        page = compare(options.runs, options.out, split=options.split, title=options.title)
    except RecipeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(page)
    return 0


def compare(runs: Sequence[str], out: Path, *, split: str, title: str) -> Path:
    compared = read_contenders(runs, split=split)
    config = compared.config
    tasks = build_tasks(config.data.tasks, config.data.task_options())
    scores = score_contenders(compared, tasks, config.eval, seed=config.train.seed)
    return write_pages(out, compared, scores, config.eval, title=title)


if __name__ == "__main__":
    sys.exit(main())
