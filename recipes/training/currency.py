"""The currency of the loss: what a batch's mean counts alike, its target tokens, its examples, or its tasks by weight.

A transcript has ninety target tokens and a label two. So in a mean over tokens a label task with two places of five has
three or four per cent of the loss, and the order of the data decides little there. A mean over examples gives each task
the share of the batch that its places are; a mean over tasks gives it its weight in the schedule's phase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from recipes.training.batches import MicroBatch

if TYPE_CHECKING:
    import torch

Currency = Literal["token", "example", "task"]


def token_weights(
    micros: Sequence[MicroBatch],
    currency: Currency,
    *,
    tasks: Sequence[str],
    shares: Mapping[str, float] | None = None,
    accelerator: Any = None,
) -> list[torch.Tensor]:
    """For each micro-batch what a target token of each row weighs; `shares` are the tasks' weights, alike by default."""
    import torch

    if currency == "token":
        return [torch.ones(len(micro.tasks)) for micro in micros]
    if currency == "example":
        return [1 / target_tokens(micro) for micro in micros]
    totals = torch.zeros(len(tasks))
    for micro in micros:
        totals.index_add_(0, micro.tasks, target_tokens(micro))
    if accelerator is not None and accelerator.num_processes > 1:  # a task's tokens lie on all processes
        totals = accelerator.reduce(totals.to(accelerator.device), reduction="sum").cpu()
    wanted = torch.tensor([(shares or {}).get(task, 0.0 if shares else 1.0) for task in tasks])
    by_task = wanted / totals.clamp(min=1)
    return [by_task[micro.tasks] for micro in micros]


def target_tokens(micro: MicroBatch) -> torch.Tensor:
    """The target tokens of each row."""
    import torch

    return torch.bincount(micro.inputs.target_rows, minlength=len(micro.inputs.rows)).float()
