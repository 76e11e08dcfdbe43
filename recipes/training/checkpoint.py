"""Checkpoints: everything a run needs to go on exactly as if it had never stopped.

A checkpoint holds the trained weights, the optimizer, and the schedule's own state; it holds no random
generators, because nothing in a run has one: templates, dropout and batches are drawn from (seed, step).
It is written under a temporary name and renamed, so a folder called `step-N` is always a whole one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.config import RecipeConfig, differing_keys, load_config, to_toml
from recipes.errors import RecipeError
from recipes.models.export import save_adapter
from recipes.models.load import LoadedModel, save_model
from recipes.models.lora import set_adapter_weights

if TYPE_CHECKING:
    import torch

# What may change between two starts of one run, because it changes nothing that the run decides: how much it says and
# keeps, how it answers and scores, and how a step is cut for this machine's memory and processes.
FREE_KEYS = (
    "log",
    "eval",
    "model.attention",
    "schedule.max_padding",
    "schedule.token_budget",
    "train.accumulation",
    "train.embedding_batch_seconds",
    "train.embeddings",  # a run keeps its own copy of what it began with
    "train.gradient_checkpointing",
    "train.keep",
    "train.loader_threads",
    "train.save_every",
)
# What of these sections decides after all: on which losses a plateau is seen and the best checkpoint named.
DECIDING_KEYS = ("eval.every", "eval.examples_per_task")
DATASET_PATH = re.compile(r"data\.datasets\.\d+\.path")


@dataclass
class Progress:
    """How far a run is, and the state of its schedule."""

    step: int = 0  # optimizer steps taken
    tokens: int = 0
    best_step: int = 0
    best_metric: float | None = None  # lower is better
    schedule: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(
    run: Path,
    progress: Progress,
    *,
    loaded: LoadedModel,
    optimizer: torch.optim.Optimizer,
    config: RecipeConfig,
    embeddings: np.ndarray | None = None,
) -> Path:
    """Write `checkpoints/step-N`, name the best one, and clear away those that are neither best nor recent."""
    import torch

    final = checkpoint_folder(run, progress.step)
    if not final.exists():
        temporary = final.with_name(f".writing-{final.name}")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_weights(loaded, temporary / "model")
        torch.save(optimizer.state_dict(), temporary / "optimizer.pt")
        (temporary / "config.toml").write_text(to_toml(config), encoding="utf-8")
        (temporary / "progress.json").write_text(json.dumps(asdict(progress)), encoding="utf-8")
        if embeddings is not None:
            np.save(temporary / "embeddings.npy", embeddings)
        sync_folder(temporary)
        temporary.rename(final)
    if progress.best_step == progress.step:
        note = run / ".best.writing"
        note.write_text(f"step-{progress.step}\n", encoding="utf-8")
        note.replace(run / "best")
    clear_old(run, keep=config.train.keep)
    return final


def checkpoint_folder(run: Path, step: int) -> Path:
    return run / "checkpoints" / f"step-{step}"


def save_weights(loaded: LoadedModel, folder: Path) -> None:
    """The adapter alone where there is one, otherwise the whole model."""
    if hasattr(loaded.model, "peft_config"):
        save_adapter(loaded, folder)
    else:
        save_model(loaded, folder)


def sync_folder(folder: Path) -> None:
    """Force the files to disk: a rename that survives a power cut must not outlive what it names."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def clear_old(run: Path, *, keep: int) -> None:
    """Delete all checkpoints but the best one and the last `keep`."""
    best = best_step(run)
    for step in saved_steps(run)[:-keep]:
        if step != best:
            shutil.rmtree(checkpoint_folder(run, step))


def saved_steps(run: Path) -> list[int]:
    """Steps of the complete checkpoints of a run, oldest first."""
    return sorted(int(path.name.removeprefix("step-")) for path in (run / "checkpoints").glob("step-*"))


def best_step(run: Path) -> int | None:
    note = run / "best"
    return int(note.read_text(encoding="utf-8").strip().removeprefix("step-")) if note.is_file() else None


def find_checkpoint(run: Path, which: str = "best") -> Path:
    """`best`, `last` or `step-N` of a run; the last one where no evaluation has named a best."""
    steps = saved_steps(run)
    if not steps:
        raise RecipeError(f"{run}: no checkpoint in it. Is this a run folder of `recipes.train`?")
    named = {"best": best_step(run) or steps[-1], "last": steps[-1]}
    folder = checkpoint_folder(run, named[which]) if which in named else run / "checkpoints" / which
    if not folder.is_dir():
        names = ", ".join(f"step-{step}" for step in steps)
        raise RecipeError(f"{run}: no checkpoint {which!r}. There are: best, last, {names}.")
    return folder


def resume(folder: Path, *, loaded: LoadedModel, optimizer: torch.optim.Optimizer, config: RecipeConfig) -> Progress:
    """Load a checkpoint into model and optimizer; one from another config is refused, key by key."""
    import torch

    check_config(folder, config)
    load_weights(loaded, folder / "model")
    optimizer.load_state_dict(torch.load(folder / "optimizer.pt", map_location="cpu", weights_only=True))
    return Progress(**json.loads((folder / "progress.json").read_text(encoding="utf-8")))


def saved_embeddings(run: Path, start: Path | None) -> np.ndarray | None:
    """Read the embeddings that a resumed run goes on with: those of its checkpoint, or those it began with.

    They are kept as used, to the last bit: PCA on another machine may differ in it, and then so would batches.
    """
    if start is None:
        return None
    refreshed, first = start / "embeddings.npy", run / "embeddings.npy"
    path = refreshed if refreshed.is_file() else first
    return np.load(path) if path.is_file() else None


def check_config(folder: Path, config: RecipeConfig) -> None:
    """Refuse to resume a checkpoint whose config differs in what decides a run."""
    differing = differing_keys(load_config(folder / "config.toml"), config)
    lines = [
        f"{key}: {saved!r} there, {wanted!r} here"
        for key, (saved, wanted) in differing.items()
        if decides(key, saved, wanted)
    ]
    if lines:
        raise RecipeError(
            f"{folder}: this checkpoint belongs to another config:\n  " + "\n  ".join(lines) + "\n"
            "Set these back to resume, or start in a new run folder with --run."
        )


def decides(key: str, saved: Any, wanted: Any) -> bool:
    """Whether a run with this key changed would go on in another way.

    A dataset may lie elsewhere under the same name, which its examples go by; whether its rows are the same is seen by
    the schedule, which knows their lengths and labels.
    """
    if DATASET_PATH.fullmatch(key) and saved and wanted:
        return Path(saved).name != Path(wanted).name
    free = any(key == name or key.startswith(f"{name}.") for name in FREE_KEYS)
    return key in DECIDING_KEYS or not free


def load_weights(loaded: LoadedModel, folder: Path) -> None:
    """Saved weights into the model as it stands, adapters or all, exactly."""
    if hasattr(loaded.model, "peft_config"):
        from peft import load_peft_weights

        set_adapter_weights(loaded.model, load_peft_weights(str(folder), device="cpu"), source=folder)
    else:
        from safetensors.torch import load_file

        weights = load_file(folder / "model.safetensors")
        missing, unexpected = loaded.thinker.load_state_dict(weights, strict=False)
        if unexpected or [name for name in missing if name not in shared_names(loaded.thinker)]:
            raise RecipeError(f"{folder}: its weights are of another model ({(missing + unexpected)[0]}).")


def shared_names(thinker: Any) -> set[str]:
    """Tied weights are saved once, under one of their names."""
    return set(getattr(thinker, "_tied_weights_keys", None) or ())
