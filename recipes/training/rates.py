"""Learning rates: their peak for each part of the model, their course over the run, and the optimizer that has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from recipes.config import TrainConfig
from recipes.models.lora import LoraConfig
from recipes.schedule import Batch

if TYPE_CHECKING:
    import torch


def rate_share(step: int, *, total: int, config: TrainConfig) -> float:
    """The learning rate of a step as a share of its peak: a straight rise, then what `train.rate` says."""
    warmup = round(config.warmup_share * total)
    if step < warmup:
        return (step + 1) / warmup
    if config.rate == "constant":
        return 1.0
    if config.rate == "wsd":
        decay = max(1, round(config.decay_share * total))
        fallen = min(1.0, max(0.0, (step - (total - decay) + 1) / decay))
        return 1 - (1 - config.final_rate_share) * fallen
    done = (step - warmup) / max(1, total - warmup)
    return config.final_rate_share + (1 - config.final_rate_share) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def batch_rate_share(batch: Batch, *, total: int, config: TrainConfig) -> float:
    """The rate of a batch's step, in the course of the whole run or in that of its phase."""
    if config.rate_span == "phase" and batch.phase_steps:
        return rate_share(batch.phase_step, total=batch.phase_steps, config=config)
    return rate_share(batch.step, total=total, config=config)


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
