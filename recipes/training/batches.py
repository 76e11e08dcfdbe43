"""Micro-batches: what one forward pass takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipes.models.collate import Inputs

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MicroBatch:
    """One forward pass: tensors, the task of each row as an index, and the seed of its dropout masks."""

    inputs: Inputs
    tasks: torch.Tensor
    dropout_seed: int = 0


def dropout_seed(seed: int, *, step: int, example: int) -> int:
    """The seed of a pass's dropout masks, by its first example.

    No generator's state must be saved, and a pass has the same masks whichever process runs it.
    """
    return int(np.random.SeedSequence([seed, step, example]).generate_state(1)[0])
