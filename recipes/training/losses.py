"""Losses: what a step lowers, as a function of the model and a micro-batch.

A loss gives one number for each row: summed over the row's target tokens, not averaged. The step adds these numbers up
over the whole batch and divides them once by its target tokens. The task of each row is in `MicroBatch.tasks`.

The loss of answers runs the output layer on target positions only. With 152,064 tokens in the vocabulary the logits of
a whole batch would be the largest tensor of a step, and most of them are never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recipes.models.collate import Inputs
from recipes.models.load import LoadedModel
from recipes.training.batches import MicroBatch

if TYPE_CHECKING:
    import torch

Loss = Callable[[LoadedModel, MicroBatch], "torch.Tensor"]


def answer_loss(loaded: LoadedModel, micro: MicroBatch) -> torch.Tensor:
    """How unlikely the model finds the answers that it should give: the usual loss of fine-tuning."""
    return target_losses(loaded, micro.inputs)


def target_losses(loaded: LoadedModel, inputs: Inputs) -> torch.Tensor:
    """Summed negative log-likelihood of each example's target: one number a row, on the model's device."""
    import torch
    from torch.nn import functional as F

    device = loaded.device
    # The positions were worked out on the CPU, so that finding them waits for no GPU. The audio tower does wait: with
    # sdpa it reads its clips' lengths back in every layer.
    with output_layer_on(loaded.thinker, inputs.target_positions.to(device, non_blocking=True)):
        logits = loaded.thinker(**inputs.model_inputs(device), use_cache=False).logits.float()
    losses = F.cross_entropy(logits, inputs.target_ids.to(device, non_blocking=True), reduction="none")
    rows = inputs.target_rows.to(device, non_blocking=True)
    return torch.zeros(len(inputs.rows), device=device).index_add(0, rows, losses)


@contextmanager
def output_layer_on(thinker: Any, positions: torch.Tensor) -> Iterator[None]:
    """Run the output layer on these positions of the flattened batch alone."""

    def select(_: Any, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        return (arguments[0].flatten(0, 1).index_select(0, positions),)

    hook = thinker.lm_head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        hook.remove()
