"""How unlike each other the examples of a batch are: ADS against uniform mixing, and how far it could go.

`python benchmarks/schedule_diversity.py` prints the mean pairwise distance of batches in aligner space over
that of uniform batches, for embeddings in which one kind of recording dominates a little or a lot; how
evenly tasks and labels are shared; and the ceiling, which is the same ratio for pairs that never share a
kind of recording. Balance alone (`ads` that lets nothing compete) is there to show what picking adds.
"""

from __future__ import annotations

import argparse

import numpy as np

from recipes.schedule import Batch, ScheduleConfig, ScheduleTable, build_schedule
from recipes.schedule.measure import counts_per_batch, diversity
from recipes.schedule.synthetic import DOMAINS, synthetic_embeddings, synthetic_table

SCHEDULES = {
    "uniform": {"kind": "uniform"},
    "uniform, mixing = rows": {"kind": "uniform", "mixing": "rows"},
    "ads, balance alone": {"kind": "ads", "ads": {"coverage": 1.0, "candidates": 1}},
    "ads clusters": {"kind": "ads", "ads": {"picker": "clusters"}},
    "ads repulsion": {"kind": "ads", "ads": {"picker": "repulsion"}},
    "ads farthest": {"kind": "ads", "ads": {"picker": "farthest"}},
    "ads repulsion, no guarantee": {"kind": "ads", "ads": {"guarantee": 0}},
    "ads repulsion, coverage 0.25": {"kind": "ads", "ads": {"coverage": 0.25}},
}


def balance(batches: list[Batch], table: ScheduleTable) -> tuple[int, int]:
    """The largest difference between two tasks of a batch, and between two labels of a task in it."""
    per_task = counts_per_batch(batches, table.task, len(table.tasks))
    kind = table.task.astype(np.int64) * len(table.labels) + table.label
    kinds = np.unique(kind)
    per_kind = counts_per_batch(batches, kind, int(kinds.max()) + 1)[:, kinds]
    labels = max(
        int(np.ptp(per_kind[:, kinds // len(table.labels) == task], axis=1).max()) for task in range(len(table.tasks))
    )
    return int(np.ptp(per_task, axis=1).max()), labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    table = synthetic_table(options.rows)
    print(f"{options.rows:,} rows × 256, {options.steps} batches of 64; ratios to uniform")
    for concentration in (1.5, 2.0, 2.5):
        embeddings = synthetic_embeddings(table, 256, concentration=concentration)
        commonest = 1 / (np.arange(1.0, DOMAINS + 1) ** -concentration).sum()
        print(f"\ncommonest kind of recording: {commonest:.0%} of rows")
        print(f"{'schedule':30}{'distance':>10}{'ratio':>8}{'task spread':>13}{'label spread':>14}")
        reference = None
        for name, values in SCHEDULES.items():
            config = ScheduleConfig.model_validate({**values, "steps": options.steps})
            batches = list(build_schedule(config, table, embeddings, seed=0))
            mean = float(np.mean([diversity(batch, table, embeddings) for batch in batches]))
            reference = reference or mean
            tasks, labels = balance(batches, table)
            print(f"{name:30}{mean:10.2f}{mean / reference:8.2f}{tasks:13d}{labels:14d}")
        apart = np.sqrt(2 * 256 * (1 + 0.25**2 + 0.2**2))
        print(f"{'ceiling: no kind twice':30}{apart:10.2f}{apart / reference:8.2f}")


if __name__ == "__main__":
    main()
