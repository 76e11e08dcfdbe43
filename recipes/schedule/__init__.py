"""The data schedule: which examples make up each batch of a run, as a thing to choose and compare.

`build_schedule` gives an iterator of batches of indices; `microbatches` cuts a batch into forward passes.
The trainer needs nothing else. docs/schedules.md says what each schedule does and how to add one.
"""

from __future__ import annotations

import numpy as np

from recipes.errors import RecipeError
from recipes.schedule.config import ScheduleConfig
from recipes.schedule.passes import check_budget, microbatches, padding_share
from recipes.schedule.phases import plan_phases
from recipes.schedule.stream import Batch, Schedule
from recipes.schedule.table import MODALITIES, ScheduleTable

__all__ = [
    "MODALITIES",
    "Batch",
    "Schedule",
    "ScheduleConfig",
    "ScheduleTable",
    "build_schedule",
    "microbatches",
    "padding_share",
]


def build_schedule(
    config: ScheduleConfig, table: ScheduleTable, embeddings: np.ndarray | None = None, *, seed: int
) -> Schedule:
    """The schedule of a config over a table; what cannot work is said here, before anything is trained."""
    if not len(table):
        raise RecipeError("schedule: the data has no rows")
    if config.token_budget:
        check_budget(int(table.tokens.max()), config.token_budget)
    return Schedule(config, plan_phases(config, table), table, embeddings, seed=seed)
