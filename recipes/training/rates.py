"""Learning rates: their peak for each part of the model, their course over the run, and the optimizer that has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from recipes.config import TrainConfig
from recipes.models.lora import LoraConfig

if TYPE_CHECKING:
    import torch


def rate_share(step: int, *, total: int, config: TrainConfig) -> float:
    """The learning rate of a step as a share of its peak: a straight rise, then half a cosine."""
    warmup = round(config.warmup_share * total)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return config.final_rate_share + (1 - config.final_rate_share) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


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
