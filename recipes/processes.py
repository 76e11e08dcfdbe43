"""One process or several: what accelerate was launched with, checked before anything is written.

On a machine without a GPU accelerate takes each launched process for the only one, unless it is told
ACCELERATE_USE_CPU=true; they would then train side by side into one folder.
"""

from __future__ import annotations

import os
from typing import Any

from recipes.errors import RecipeError


def open_accelerator(**options: Any) -> Any:
    """accelerate's view of this process among the others."""
    from accelerate import Accelerator

    accelerator = Accelerator(**options)
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if launched != accelerator.num_processes:
        raise RecipeError(
            f"launched as {launched} processes, but accelerate sees {accelerator.num_processes} on "
            f"{accelerator.device}. To train on several CPU processes set ACCELERATE_USE_CPU=true."
        )
    if launched > 1 and accelerator.is_main_process:
        print(f"{launched} processes, this one on {accelerator.device}")
    return accelerator
