"""Toy parts shared by the tests of training: a tiny real thinker, sounds from a seed, a small dataset, a quick run."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.torch import load_file

from recipes.models.config import ModelConfig, TinyShape
from recipes.models.load import LoadedModel, load_model

TOY = TinyShape(width=32, layers=2, audio_width=32, audio_layers=2, vocabulary=400)


def toy_model(*, seed: int = 0) -> LoadedModel:
    """A thinker of the real classes with some 0.1 million parameters."""
    return load_model(ModelConfig(path="tiny", dtype="float32", tiny=TOY.model_copy(update={"seed": seed})))


def sound(seconds: float, *, seed: int) -> np.ndarray:
    """A tone with noise: 16 kHz, float32, different for every seed."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16_000)) / 16_000
    tone = np.sin(2 * np.pi * (200 + 100 * (seed % 20)) * time)
    return (0.1 * tone + 0.02 * rng.standard_normal(len(time))).astype(np.float32)


def toy_dataset(folder: Path, *, rows: int = 24, broken: str = "") -> Path:
    """A dataset as we publish them, its audio embedded; the clip of row `broken` holds samples that are no numbers."""
    import datasets

    def split(name: str, size: int, first: int) -> datasets.Dataset:
        table = [toy_row(f"{name}-{i}", first + i, broken=broken) for i in range(size)]
        return datasets.Dataset.from_list(table).cast_column("audio", datasets.Audio(decode=False))

    datasets.disable_progress_bars()
    datasets.DatasetDict({"train": split("train", rows, 0), "validation": split("validation", 6, 100)}).save_to_disk(
        str(folder)
    )
    return folder


def toy_row(name: str, number: int, *, broken: str) -> dict[str, object]:
    audio = sound(0.4 + 0.1 * (number % 5), seed=number)
    if name == broken:
        audio[100:200] = np.nan
    file = io.BytesIO()
    soundfile.write(file, audio, 16_000, format="WAV", subtype="FLOAT")
    return {
        "id": name,
        "audio": {"bytes": file.getvalue(), "path": f"{name}.wav"},
        "transcription": ["صفر", "واحد اثنان", "نعم لا"][number % 3],
        "summary": ["عدد", "عددان", "جواب"][number % 3],
        "dialect": ["EGY", "LEV"][number % 2],
        "emotion": ["happy", "sad", "neutral"][number % 3],
    }


def toy_config(folder: Path, dataset: Path, text: str = "") -> Path:
    """A config file of a small, quick run on `dataset`; `text` is appended."""
    path = folder / "run.toml"
    path.write_text(
        f"""
[model]
path = "tiny"
dtype = "float32"
tiny = {{ width = 32, layers = 2, audio_width = 32, audio_layers = 2, vocabulary = 400 }}
[data]
tasks = ["asr", "text_summ", "dialect"]
[[data.datasets]]
path = "{dataset}"
[schedule]
kind = "hybrid"
steps = 8
batch_size = 6
[lora]
rank = 4
dropout = 0.1
audio = {{ enabled = true, learning_rate = 1e-3 }}
language.learning_rate = 1e-2
[train]
precision = "fp32"
save_every = 3
[eval]
every = 4
examples_per_task = 2
max_new_tokens = 3
"""
        + text,
        encoding="utf-8",
    )
    return path


def losses(run: Path) -> list[tuple[int, float, float]]:
    """Step, loss and gradient norm of every training line of a log."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(line["step"], line["loss"], line["grad_norm"]) for line in lines if "loss" in line]


def final_weights(run: Path) -> dict[str, torch.Tensor]:
    """The adapter of the last checkpoint."""
    folder = max((run / "checkpoints").glob("step-*"), key=lambda path: int(path.name[5:]))
    return load_file(folder / "model" / "adapter_model.safetensors")
