"""Measures a schedule's batches: shares, diversity, padding. Pure functions of batches and a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.schedule.passes import microbatches, padding_share
from recipes.schedule.stream import Batch, Schedule
from recipes.schedule.table import MODALITIES, TEXT, ScheduleTable

SAMPLED = 400  # batches whose diversity and padding are measured; shares are counted in all


@dataclass(frozen=True)
class RunMeasures:
    """A whole run of a schedule, measured."""

    phases: list[str]  # of each batch
    tasks: np.ndarray  # [batch, task] shares
    modalities: np.ndarray  # [batch, modality] shares
    kinds: np.ndarray  # [kind, 2]: the (task, label) pairs that have rows
    rows: np.ndarray  # [kind] rows in the data
    drawn: np.ndarray  # [kind] places in all batches
    distinct: np.ndarray  # [task] different rows that were shown
    sampled: np.ndarray  # steps at which the following were measured
    passes: np.ndarray  # forward passes of all processes
    diversity: np.ndarray  # NaN without embeddings
    padding: np.ndarray
    plain_padding: np.ndarray  # of shuffled examples in as many passes of equal size


def measure_run(
    schedule: Schedule, embeddings: np.ndarray | None, *, world_size: int, accumulation: int
) -> RunMeasures:
    """Draw the whole run and measure it."""
    table, config = schedule.table, schedule.config
    batches = list(schedule)
    sampled = np.unique(np.linspace(0, len(batches) - 1, min(SAMPLED, len(batches))).astype(int))
    spread, padded, plain, passes = [], [], [], []
    for batch in (batches[i] for i in sampled):
        splits = microbatches(batch, table, config, world_size=world_size, accumulation=accumulation)
        passes.append(sum(map(len, splits)))
        padded.append(padding_share(splits, table))
        plain.append(plain_padding(batch, table, passes=passes[-1]))
        spread.append(diversity(batch, table, embeddings) if embeddings is not None else float("nan"))
    kind = table.task.astype(np.int64) * len(table.labels) + table.label
    kinds, rows = np.unique(kind, return_counts=True)
    every = np.concatenate([np.array(batch.indices) for batch in batches])
    shown = np.unique(every)
    return RunMeasures(
        phases=[batch.phase for batch in batches],
        tasks=counts_per_batch(batches, table.task, len(table.tasks)) / config.batch_size,
        modalities=counts_per_batch(batches, table.modality, len(MODALITIES)) / config.batch_size,
        kinds=np.stack([kinds // len(table.labels), kinds % len(table.labels)], axis=1),
        rows=rows,
        drawn=np.bincount(kind[every], minlength=int(kinds.max()) + 1)[kinds],
        distinct=np.bincount(table.task[shown], minlength=len(table.tasks)),
        sampled=sampled,
        passes=np.array(passes),
        diversity=np.array(spread),
        padding=np.array(padded),
        plain_padding=np.array(plain),
    )


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
    """Padding where the batch, in shuffled order, is cut into so many passes of as many examples each."""
    shuffled = np.random.default_rng(batch.step).permutation(batch.indices)
    return padding_share([[part.tolist() for part in np.array_split(shuffled, passes)]], table)
