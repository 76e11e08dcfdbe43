"""One training step: forward and backward over a batch's micro-batches, then one update of the weights.

The loss is a mean over the global batch, of its target tokens or as `train.loss` says, whatever the number of processes and
of accumulation steps: each process sums gradients over its own rows, the sums are added up once per step,
and only then divided. We add them up ourselves (one flat `reduce`) instead of wrapping the model for data
parallelism: a process whose share is all text never touches the audio adapters, which such a wrapper
waits for, and adapters are small enough that overlapping the exchange with the backward pass gains little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from recipes.config import TrainConfig
from recipes.models.load import LoadedModel
from recipes.training.batches import MicroBatch
from recipes.training.currency import target_tokens, token_weights
from recipes.training.losses import Loss, answer_loss

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class StepResult:
    """What a step did, over all processes; `bad_rows` are this process's examples whose loss is no number."""

    loss: float
    task_loss: dict[str, float]
    grad_norm: float
    tokens: int
    targets: int = 0
    """Target tokens."""
    loss_share: dict[str, float] = field(default_factory=dict)
    """What part of the weight in `loss` each task has."""
    bad_rows: tuple[str, ...] = ()

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


def take_step(
    loaded: LoadedModel,
    optimizer: torch.optim.Optimizer,
    micros: Sequence[MicroBatch],
    *,
    tasks: Sequence[str],
    config: TrainConfig,
    accelerator: Any = None,
    loss: Loss = answer_loss,
    shares: Mapping[str, float] | None = None,
) -> StepResult:
    """Forward, backward and update over one process's share of a batch.

    `shares` are the tasks' weights in the batch, for `train.loss = "task"`. The model's weights change only if loss and
    gradients are finite on every process; otherwise the result says so.
    """
    import torch

    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    weights = token_weights(micros, config.loss, tasks=tasks, shares=shares, accelerator=accelerator)
    sums, row_losses = add_gradients(
        loaded, micros, weights, task_count=len(tasks), precision=config.precision, loss=loss
    )
    if accelerator is not None and accelerator.num_processes > 1:
        sums = add_up(accelerator, parameters, sums)
    norm = scale_gradients(parameters, total=sums[4].sum(), max_norm=config.max_grad_norm)
    numbers = torch.cat([sums.flatten(), norm[None]]).tolist()  # everything the step says, read in one copy
    result = read_numbers(numbers, tasks)
    if result.finite:
        optimizer.step()
    else:
        result = replace(result, bad_rows=bad_rows(micros, row_losses))
    optimizer.zero_grad(set_to_none=True)
    return result


def add_gradients(
    loaded: LoadedModel,
    micros: Sequence[MicroBatch],
    weights: Sequence[torch.Tensor],
    *,
    task_count: int,
    precision: str,
    loss: Loss,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Run every micro-batch forward and backward; give the sums by task (see `micro_sums`) and each row's loss."""
    import torch

    device = loaded.device
    sums = torch.zeros(5, task_count, device=device)
    row_losses = []
    for micro, token_weight in zip(micros, weights, strict=True):
        torch.manual_seed(micro.dropout_seed)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            losses = loss(loaded, micro)
        weight = token_weight.to(device, non_blocking=True)
        (losses * weight).sum().backward()
        row_losses.append(losses.detach())
        sums += micro_sums(micro, losses.detach(), weight, task_count)
    return sums, row_losses


def scale_gradients(parameters: Sequence[torch.nn.Parameter], *, total: torch.Tensor, max_norm: float) -> torch.Tensor:
    """Divide the summed gradients by what all rows weigh together and clip them; give their norm before clipping."""
    import torch

    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients) / total
    scale = (max_norm / (norm + 1e-6)).clamp(max=1.0) / total
    torch._foreach_mul_(gradients, scale)
    return norm


def micro_sums(micro: MicroBatch, losses: torch.Tensor, weights: torch.Tensor, task_count: int) -> torch.Tensor:
    """Loss, target tokens, all tokens, weighted loss and weight of a forward pass, by task."""
    import torch

    inputs = micro.inputs
    counts = torch.stack([target_tokens(micro), inputs.attention_mask.sum(dim=1).float()]).to(
        losses.device, non_blocking=True
    )
    losses = losses.float()
    rows = torch.stack([losses, counts[0], counts[1], losses * weights, counts[0] * weights])
    tasks = micro.tasks.to(losses.device, non_blocking=True)
    return torch.zeros(5, task_count, device=losses.device).index_add(1, tasks, rows)


def add_up(accelerator: Any, parameters: Sequence[torch.nn.Parameter], sums: torch.Tensor) -> torch.Tensor:
    """Sum gradients and counts over the processes, in one exchange.

    A parameter that no process used keeps no gradient, as it does in a single process: with a gradient of zeros the
    optimizer's momentum and weight decay would still move what a step without audio must leave alone.
    """
    import torch

    used = torch.tensor([parameter.grad is not None for parameter in parameters], device=sums.device)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    pieces = [gradient.float().flatten() for gradient in gradients]
    together = accelerator.reduce(torch.cat([sums.flatten(), used.float(), *pieces]), reduction="sum")
    totals, users, *pieces = together.split([sums.numel(), len(used), *(piece.numel() for piece in pieces)])
    for parameter, gradient, piece, processes in zip(parameters, gradients, pieces, users.tolist(), strict=True):
        parameter.grad = gradient.copy_(piece.view_as(parameter)) if processes else None
    summed: torch.Tensor = totals.view_as(sums)
    return summed


def read_numbers(numbers: Sequence[float], tasks: Sequence[str]) -> StepResult:
    """What a step says, from the numbers that came back from the device."""
    count = len(tasks)
    losses, targets, tokens, weighted, weights = (numbers[i * count : (i + 1) * count] for i in range(5))
    total = sum(weights) or 1.0
    return StepResult(
        loss=sum(weighted) / total,
        task_loss={task: losses[i] / targets[i] for i, task in enumerate(tasks) if targets[i]},
        grad_norm=numbers[-1],
        tokens=round(sum(tokens)),
        targets=round(sum(targets)),
        loss_share={task: weights[i] / total for i, task in enumerate(tasks) if targets[i]},
    )


def bad_rows(micros: Sequence[MicroBatch], losses: Sequence[torch.Tensor]) -> tuple[str, ...]:
    """The examples whose own loss is not finite."""
    names = [name for micro in micros for name in micro.inputs.rows]
    values = [value for piece in losses for value in piece.tolist()]
    return tuple(name for name, value in zip(names, values, strict=True) if not math.isfinite(value))
