"""The folder of a run, before its first step: where it goes on from, and its config on disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from recipes.config import RecipeConfig, to_toml
from recipes.errors import RecipeError
from recipes.training import checkpoint


def find_start(run: Path, config: RecipeConfig, *, resuming: bool) -> Path | None:
    """The checkpoint to go on from, or None for a fresh start; a folder in use is never overwritten."""
    saved = checkpoint.saved_steps(run)
    if saved and not resuming:
        raise RecipeError(
            f"{run}: holds a run that reached step {saved[-1]}. Add --resume to go on, or choose another --run."
        )
    if not saved:
        return None
    start = checkpoint.checkpoint_folder(run, saved[-1])
    checkpoint.check_config(start, config)
    return start


def prepare_run_folder(run: Path, config: RecipeConfig) -> None:
    """The folder with its config, without what a killed run left half-written."""
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    for leftover in (run / "checkpoints").glob(".writing-*"):
        shutil.rmtree(leftover)
    (run / "config.toml").write_text(to_toml(config), encoding="utf-8")
