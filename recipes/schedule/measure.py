"""What a schedule's batches are like: shares, diversity, padding. Pure functions of batches and a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipes.schedule.passes import padding_share
from recipes.schedule.stream import Batch
from recipes.schedule.table import TEXT, ScheduleTable


def counts_per_batch(batches: Sequence[Batch], values: np.ndarray, kinds: int) -> np.ndarray:
    """[batch, kind]: how many of each batch's rows have each value."""
    return np.stack([np.bincount(values[list(batch.indices)], minlength=kinds) for batch in batches])


def diversity(batch: Batch, table: ScheduleTable, embeddings: np.ndarray) -> float:
    """Mean distance in aligner space over all pairs of the batch's heard examples; NaN for fewer than two."""
    rows = np.array(batch.indices)
    rows = rows[table.modality[rows] != TEXT]
    if len(rows) < 2:
        return float("nan")
    vectors = np.asarray(embeddings[rows], dtype=np.float64)
    square = (vectors * vectors).sum(axis=1)
    distance = np.sqrt(np.maximum(square[:, None] + square[None, :] - 2 * vectors @ vectors.T, 0))
    return float(distance.sum() / (len(rows) * (len(rows) - 1)))


def plain_padding(batch: Batch, table: ScheduleTable, *, passes: int) -> float:
    """The same where the batch, in shuffled order, is cut into passes of as many examples each."""
    shuffled = np.random.default_rng(batch.step).permutation(batch.indices)
    return padding_share([[part.tolist() for part in np.array_split(shuffled, passes)]], table)


def unevenness(splits: Sequence[Sequence[Sequence[int]]], table: ScheduleTable) -> float:
    """How much more the busiest process computes than the mean: 0 is perfectly even."""
    loads = [sum(int(table.tokens[list(run)].max()) * len(run) for run in process) for process in splits]
    return max(loads) / (sum(loads) / len(loads)) - 1
