"""The errors that stop a run: a full GPU, or a loss that is no number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.config import TrainConfig
from recipes.data.examples import Examples
from recipes.errors import RecipeError
from recipes.schedule import Batch
from recipes.training import checkpoint
from recipes.training.batches import MicroBatch
from recipes.training.step import StepResult


def out_of_memory(micros: Sequence[MicroBatch], config: TrainConfig) -> RecipeError:
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


def bad_batch(batch: Batch, result: StepResult, *, run: Path, examples: Examples, accelerator: Any) -> RecipeError:
    """Write the examples of a batch whose loss or gradient is no number to a file; give the error that names them."""
    from accelerate.utils import gather_object

    several = accelerator.num_processes > 1
    guilty = sorted(gather_object(list(result.bad_rows)) if several else result.bad_rows)
    names = [examples.name(index) for index in batch.indices]
    report = run / f"bad-batch-{batch.step}.json"
    if accelerator.is_main_process:
        content = {"batch": batch.step, "phase": batch.phase, "indices": list(batch.indices), "examples": names}
        report.write_text(json.dumps(content | {"not_finite": guilty}, ensure_ascii=False, indent=1), encoding="utf-8")
    saved = checkpoint.saved_steps(run)
    return RecipeError(
        f"batch {batch.step} ({batch.phase}): loss {result.loss:.4g}, gradient norm {result.grad_norm:.4g}, so training "
        f"stopped before the update. Not finite: {', '.join(guilty[:5]) or 'the gradient alone'}. All "
        f"{len(names)} examples are in {report}. Last good checkpoint: {f'step-{saved[-1]}' if saved else 'none yet'}. "
        "Check those examples; if they are sound, lower the learning rate or raise train.warmup_share."
    )
