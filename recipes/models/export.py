"""Exporting a trained model: its adapter or the merged model as a folder, a comparison of answers, the upload."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.errors import RecipeError
from recipes.models.compress import write_settings
from recipes.models.load import LoadedModel, save_model

Prediction = Mapping[str, Any]


def check_empty(folders: Sequence[Path]) -> None:
    """Refuse to write into a folder that holds something."""
    for folder in folders:
        if folder.exists() and any(folder.iterdir()):
            raise RecipeError(f"{folder}: not empty. Choose another folder, or delete this one.")


def save_adapter(loaded: LoadedModel, folder: Path) -> None:
    """Write the adapter alone."""
    # Without this, peft asks the Hub whether the vocabulary has grown.
    loaded.model.save_pretrained(folder, save_embedding_layers=False)
    write_settings(folder, loaded.encoder.compress)


def save_merged(loaded: LoadedModel, folder: Path) -> None:
    """Merge the adapter into the weights, where there is one, and write the whole model."""
    if hasattr(loaded.model, "peft_config"):
        loaded.model = loaded.model.merge_and_unload(safe_merge=True)
    save_model(loaded, folder)


@dataclass(frozen=True)
class Comparison:
    """Two models' answers to the same examples."""

    equal: int
    total: int
    loss_moved: float

    @property
    def same(self) -> bool:
        return self.equal == self.total and math.isclose(self.loss_moved, 0.0, abs_tol=1e-3)

    def __str__(self) -> str:
        return f"{self.equal} of {self.total} answers the same as in training, loss moved by {self.loss_moved:+.5f}"


def compare_answers(expected: Sequence[Prediction], actual: Sequence[Prediction]) -> Comparison:
    """Compare the answers and the mean loss of two models on the same examples."""

    def loss(predictions: Sequence[Prediction]) -> float:
        return sum(float(p["loss"]) for p in predictions) / sum(int(p["target_tokens"]) for p in predictions)

    equal = sum(before["answer"] == after["answer"] for before, after in zip(expected, actual, strict=True))
    return Comparison(equal, len(expected), loss(actual) - loss(expected))


def push(folder: Path, name: str) -> None:
    """Upload a folder as a private model repository."""
    from huggingface_hub import HfApi

    api: Any = HfApi()
    api.create_repo(name, repo_type="model", private=True, exist_ok=True)
    api.upload_folder(
        repo_id=name, folder_path=str(folder), repo_type="model", commit_message="Upload fine-tuned model"
    )
    print(f"pushed to {name}, private: look at its card, then open it there")
