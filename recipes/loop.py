"""One training step, and the few decisions around it: the learning rate, the next stop, what to say when it fails.

The loss is the mean over all target tokens of the global batch, whatever the number of processes and of
accumulation steps: each process sums gradients over its own tokens, the sums are added up once per step,
and only then divided. We add them up ourselves (one flat `reduce`) instead of wrapping the model for data
parallelism: a process whose share is all text never touches the audio adapters, which such a wrapper
waits for, and adapters are small enough that overlapping the exchange with the backward pass gains little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.config import TrainConfig
from recipes.errors import RecipeError
from recipes.models.collate import Inputs
from recipes.models.load import LoadedModel, target_losses
from recipes.models.lora import LoraConfig

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Micro:
    """One forward pass: tensors, the task of each row as an index, and the seed of its dropout masks."""

    inputs: Inputs
    tasks: torch.Tensor
    dropout_seed: int = 0


@dataclass(frozen=True)
class StepResult:
    loss: float
    task_loss: dict[str, float]
    grad_norm: float
    tokens: int
    bad_rows: tuple[str, ...] = ()

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


def rate_share(step: int, *, total: int, config: TrainConfig) -> float:
    """The learning rate of a step as a share of its peak: a straight rise, then half a cosine."""
    warmup = round(config.warmup_share * total)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return config.final_rate_share + (1 - config.final_rate_share) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def next_stop(step: int, *, total: int, every: Sequence[int]) -> int:
    """The next step at which something other than training happens; an interval of 0 never comes."""
    return min([total, *((step // interval + 1) * interval for interval in every if interval)])


def make_optimizer(
    trained: dict[str, list[torch.nn.Parameter]], rates: dict[str, float], config: TrainConfig
) -> torch.optim.Optimizer:
    """AdamW with one group per part of the model, each with its own peak rate."""
    import torch

    groups = [
        {"params": parameters, "lr": rates[part], "peak": rates[part], "part": part}
        for part, parameters in trained.items()
    ]
    on_gpu = all(parameter.is_cuda for parameters in trained.values() for parameter in parameters)
    return torch.optim.AdamW(
        groups, betas=config.betas, weight_decay=config.weight_decay, fused=True if on_gpu else None
    )


def learning_rates(train: TrainConfig, lora: LoraConfig) -> dict[str, float]:
    """Peak learning rate of each trained part."""
    if train.method == "full":
        return {"all": train.learning_rate}
    return {name: part.learning_rate for name, part in lora.parts().items()}


def set_rates(optimizer: torch.optim.Optimizer, share: float) -> dict[str, float]:
    """Give every part its rate for this step."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
    return {group["part"]: group["lr"] for group in optimizer.param_groups}


def take_step(
    loaded: LoadedModel,
    optimizer: torch.optim.Optimizer,
    micros: Sequence[Micro],
    *,
    tasks: Sequence[str],
    config: TrainConfig,
    accelerator: Any = None,
) -> StepResult:
    """Forward, backward and update over one process's share of a batch.

    Weights change only if loss and gradients are finite on every process; otherwise the result says so.
    """
    import torch

    device = loaded.device
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    sums = torch.zeros(3, len(tasks), device=device)  # per task: summed loss, target tokens, all tokens
    row_losses = []
    for micro in micros:
        torch.manual_seed(micro.dropout_seed)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            losses = target_losses(loaded, micro.inputs)
        losses.sum().backward()
        row_losses.append(losses.detach())
        sums += micro_sums(micro, losses.detach(), len(tasks))
    if accelerator is not None and accelerator.num_processes > 1:
        sums = add_up(accelerator, parameters, sums)

    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    targets = sums[1].sum()
    norm = torch.nn.utils.get_total_norm(gradients) / targets
    scale = (config.max_grad_norm / (norm + 1e-6)).clamp(max=1.0) / targets
    torch._foreach_mul_(gradients, scale)
    numbers = torch.cat([sums.flatten(), norm[None]]).tolist()  # everything the step says, read in one copy
    result = read_numbers(numbers, tasks)
    if not result.finite:
        optimizer.zero_grad(set_to_none=True)
        return StepResult(result.loss, result.task_loss, result.grad_norm, result.tokens, bad_rows(micros, row_losses))
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return result


def micro_sums(micro: Micro, losses: torch.Tensor, task_count: int) -> torch.Tensor:
    """Loss, target tokens and all tokens of a forward pass, by task."""
    import torch

    inputs = micro.inputs
    targets = torch.bincount(inputs.target_rows, minlength=len(inputs.rows)).float()
    counts = torch.stack([targets, inputs.attention_mask.sum(dim=1).float()]).to(losses.device, non_blocking=True)
    rows = torch.cat([losses.float()[None], counts])
    tasks = micro.tasks.to(losses.device, non_blocking=True)
    return torch.zeros(3, task_count, device=losses.device).index_add(1, tasks, rows)


def add_up(accelerator: Any, parameters: Sequence[torch.nn.Parameter], sums: torch.Tensor) -> torch.Tensor:
    """Sum gradients and counts over the processes, in one exchange.

    A parameter that no process used keeps no gradient, as it does in a single process: with a gradient of zeros the
    optimizer's momentum and weight decay would still move what a step without audio must leave alone.
    """
    import torch

    used = torch.tensor([parameter.grad is not None for parameter in parameters], device=sums.device)
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    pieces = [parameter.grad.float().flatten() for parameter in parameters]
    together = accelerator.reduce(torch.cat([sums.flatten(), used.float(), *pieces]), reduction="sum")
    totals, users, *pieces = together.split([sums.numel(), len(used), *(piece.numel() for piece in pieces)])
    for parameter, piece, processes in zip(parameters, pieces, users.tolist(), strict=True):
        if processes:
            parameter.grad.copy_(piece.view_as(parameter))
        else:
            parameter.grad = None
    return totals.view_as(sums)


def read_numbers(numbers: Sequence[float], tasks: Sequence[str]) -> StepResult:
    count = len(tasks)
    losses, targets, tokens = numbers[:count], numbers[count : 2 * count], numbers[2 * count : 3 * count]
    return StepResult(
        loss=sum(losses) / max(1.0, sum(targets)),
        task_loss={task: losses[i] / targets[i] for i, task in enumerate(tasks) if targets[i]},
        grad_norm=numbers[-1],
        tokens=round(sum(tokens)),
    )


def bad_rows(micros: Sequence[Micro], losses: Sequence[torch.Tensor]) -> tuple[str, ...]:
    """The examples whose own loss is not finite."""
    names = [name for micro in micros for name in micro.inputs.rows]
    values = [value for piece in losses for value in piece.tolist()]
    return tuple(name for name, value in zip(names, values, strict=True) if not math.isfinite(value))


def out_of_memory(micros: Sequence[Micro], config: TrainConfig) -> RecipeError:
    """What to lower when the GPU is full, with this batch's own numbers."""
    largest = max((micro.inputs for micro in micros), key=lambda inputs: inputs.input_ids.numel())
    rows, length = largest.input_ids.shape
    resumable = [
        f"lower schedule.token_budget, or raise train.accumulation (now {config.accumulation}): the same batch in smaller "
        "pieces",
    ]
    if not config.gradient_checkpointing:
        resumable.insert(0, "set train.gradient_checkpointing = true")
    anew = ["lower data.max_seconds: the longest clips set the peak"]
    if config.precision == "fp32":
        anew.insert(0, 'set train.precision = "bf16"')
    return RecipeError(
        f"out of memory in a forward pass of {rows} sequences, {length} tokens the longest. In this order:\n  "
        + "\n  ".join(resumable)
        + "\nand start again with --resume: the last checkpoint is whole. If one example is too much, in a new run:\n  "
        + "\n  ".join(anew)
    )


def enable_checkpointing(thinker: Any) -> None:
    """Recompute activations in the backward pass instead of keeping them."""
    enable = getattr(thinker, "activation_checkpointing_enable", None) or thinker.gradient_checkpointing_enable
    enable({"use_reentrant": False})
    # transformers now asks for gradients at every input, the audio tower's first convolution among them, for the sake
    # of reentrant checkpointing. We don't use that, and it would run the backward pass through a frozen tower.
    thinker.disable_input_require_grads()


def dropout_seed(seed: int, *, step: int, example: int) -> int:
    """The seed of a pass's dropout masks, by its first example.

    No generator's state must be saved, and a pass has the same masks whichever process runs it.
    """
    return int(np.random.SeedSequence([seed, step, example]).generate_state(1)[0])
