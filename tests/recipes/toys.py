"""Toy parts shared by the tests of training: a tiny real thinker and sounds from a seed."""

from __future__ import annotations

import numpy as np

from recipes.config import ModelConfig, TinyShape
from recipes.model import LoadedModel, load_model

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
