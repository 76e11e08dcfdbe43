"""Cuts a batch into forward passes with little padding, and shares them out over the processes.

A forward pass pads its examples to the longest. So a batch is sorted by length and cut into runs of
neighbours, short examples many at a time, long ones few: the cuts that pad least (by dynamic programming)
among those whose passes are all of about the same cost. The cuts depend on how many passes there are and
not on how they are dealt out, so 1 process with 8 passes and 4 with 2 run the very same passes; and a batch
holds the same examples whatever the machine, which is what keeps schedules exact. That is why the token
budget limits a pass and not a batch: a budget that shortened batches would break their balance.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from recipes.errors import RecipeError
from recipes.schedule.config import ScheduleConfig
from recipes.schedule.stream import Batch
from recipes.schedule.table import ScheduleTable

# A pass may cost this much more than the cheapest worst pass. More would pad a little less and leave
# processes waiting: of 8 with one pass each, the busiest computes 24 % more than the mean at 1.1, 37 % at 1.25.
EVENNESS = 1.1


def microbatches(
    batch: Batch, table: ScheduleTable, config: ScheduleConfig, *, world_size: int, accumulation: int
) -> list[list[list[int]]]:
    """[process][pass] → indices. Each process gets `accumulation` passes, or a multiple of it if a limit asks.

    The limits are the config's: no pass of more than `token_budget` tokens (0: any), not more than `max_padding`
    of all tokens padding (which gives way when every example has a pass of its own). They come as the whole
    config, so that the planner and the trainer cannot cut by different ones.
    """
    indices = np.array(batch.indices)
    indices = indices[np.argsort(table.tokens[indices], kind="stable")]
    lengths = table.tokens[indices].astype(np.int64)
    ends = cut_within_limits(lengths, world_size * accumulation, config.token_budget, config.max_padding)
    runs = [indices[start:end].tolist() for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    costs = [int(lengths[end - 1]) * len(run) for run, end in zip(runs, ends, strict=True)]
    return deal_out(runs, costs, world_size)


def padding_share(splits: Sequence[Sequence[Sequence[int]]], table: ScheduleTable) -> float:
    """The part of all computed tokens that is padding."""
    passes = [table.tokens[list(run)] for process in splits for run in process]
    computed = sum(int(run.max()) * len(run) for run in passes)
    return 1 - sum(int(run.sum()) for run in passes) / computed


def cut_within_limits(lengths: np.ndarray, passes: int, budget: int, max_padding: float) -> list[int]:
    """Ends of the runs of sorted `lengths`, in the fewest multiple of `passes` that keeps to the limits."""
    if len(lengths) < passes:
        raise RecipeError(
            f"schedule: a batch of {len(lengths)} examples cannot be cut into {passes} passes "
            "(processes × train.accumulation). Raise schedule.batch_size or lower train.accumulation."
        )
    if budget:
        check_budget(int(lengths[-1]), budget)
    needed = len(greedy_ends(lengths, budget)) if budget else 1
    ends: list[int] = []
    for count in range(-(-needed // passes) * passes, len(lengths) + 1, passes):
        ends = cut_passes(lengths, count, budget)
        computed = int((lengths[np.array(ends) - 1] * np.diff([0, *ends])).sum())
        if 1 - lengths.sum() / computed <= max_padding:
            break
    if not ends:
        raise RecipeError(
            f"schedule: a token budget of {budget} asks for {needed} passes of a batch of {len(lengths)} examples, "
            f"in multiples of {passes}. Raise schedule.token_budget or schedule.batch_size."
        )
    return ends


def check_budget(longest: int, budget: int) -> None:
    if longest > budget:
        raise RecipeError(
            f"schedule: an example of {longest} tokens does not fit a token budget of {budget}. "
            f"Set schedule.token_budget to {longest} or more, or lower data.max_seconds."
        )


def cut_passes(lengths: np.ndarray, passes: int, budget: int) -> list[int]:
    """Ends of the runs of sorted `lengths` that pad least, none costing much more than it must."""
    limit = int(EVENNESS * smallest_worst_pass(lengths, passes))
    if budget:
        limit = min(limit, budget)
    total = len(lengths)
    starts, stops = np.arange(total + 1)[:, None], np.arange(total + 1)[None, :]
    cost = (stops - starts) * np.concatenate([[0], lengths])[None, :].astype(np.float64)
    cost[(stops <= starts) | (cost > limit)] = np.inf
    best = np.full(total + 1, np.inf)
    best[0] = 0
    came_from = np.zeros((passes, total + 1), dtype=np.intp)
    for number in range(passes):
        through = best[:, None] + cost
        came_from[number] = through.argmin(axis=0)
        best = through.min(axis=0)
    ends = [total]
    for number in range(passes - 1, 0, -1):
        ends.append(int(came_from[number][ends[-1]]))
    return ends[::-1]


def smallest_worst_pass(lengths: np.ndarray, passes: int) -> int:
    """The least that the costliest of so many passes can cost, padding included."""
    low, high = int(lengths[-1]), int(lengths[-1]) * len(lengths)
    while low < high:
        middle = (low + high) // 2
        if len(greedy_ends(lengths, middle)) <= passes:
            high = middle
        else:
            low = middle + 1
    return low


def greedy_ends(lengths: np.ndarray, limit: int) -> list[int]:
    """Ends of as few runs as possible of at most `limit` padded tokens each."""
    ends, start = [], 0
    for stop, length in enumerate(lengths.tolist(), start=1):
        if (stop - start) * length > limit:
            ends.append(stop - 1)
            start = stop - 1
    return [*ends, len(lengths)]


def deal_out(runs: Sequence[list[int]], costs: Sequence[int], world_size: int) -> list[list[list[int]]]:
    """The same number of passes to each process, and about the same cost: the costliest first, to the least laden."""
    each = len(runs) // world_size
    dealt: list[list[list[int]]] = [[] for _ in range(world_size)]
    laden = [(0, process) for process in range(world_size)]
    for number in sorted(range(len(runs)), key=lambda i: (-costs[i], i)):
        cost, process = heapq.heappop(laden)
        dealt[process].append(runs[number])
        if len(dealt[process]) < each:
            heapq.heappush(laden, (cost + costs[number], process))
    return dealt
