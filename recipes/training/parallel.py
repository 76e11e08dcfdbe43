"""Opens accelerate for one process or several, and checks how it was launched before anything is written.

Every process holds the whole model and trains on its share of a batch; gradients are added up once a step. Sharded
training (FSDP, DeepSpeed, Megatron-LM) is refused: its wrappers would never be put around the model, and each process
would silently keep a copy of everything. On a machine without a GPU accelerate takes each launched process for the
only one, unless ACCELERATE_USE_CPU=true says otherwise; they would then train side by side into one folder.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from recipes.errors import RecipeError

# Others wait while the main process reads and measures a dataset for the first time: hours, for a million clips.
# The default, ten minutes on GPUs, would end such a run.
PROCESS_TIMEOUT = timedelta(hours=2)

# What `accelerate launch` sets for each way of sharding.
SHARDING = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "a parallelism config",
}


def open_accelerator(**options: Any) -> Any:
    """accelerate's view of this process among the others."""
    from accelerate import Accelerator, InitProcessGroupKwargs

    for variable, name in SHARDING.items():
        if os.environ.get(variable, "").lower() in ("1", "true", "yes"):
            raise unsupported(name)
    accelerator = Accelerator(kwargs_handlers=[InitProcessGroupKwargs(timeout=PROCESS_TIMEOUT)], **options)
    kind = accelerator.distributed_type.value
    if kind not in ("NO", "MULTI_CPU", "MULTI_GPU"):
        raise unsupported(kind)
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if launched != accelerator.num_processes:
        raise RecipeError(
            f"launched as {launched} processes, but accelerate sees {accelerator.num_processes} on "
            f"{accelerator.device}. To train on several CPU processes set ACCELERATE_USE_CPU=true."
        )
    if launched > 1 and accelerator.is_main_process:
        print(f"{launched} processes, this one on {accelerator.device}")
    return accelerator


def unsupported(kind: str) -> RecipeError:
    return RecipeError(
        f"launched with {kind}, but the recipes train with plain processes only, each with the whole model: "
        "launch with --multi_gpu --num_processes N, or set distributed_type: MULTI_GPU in accelerate's config file."
    )
