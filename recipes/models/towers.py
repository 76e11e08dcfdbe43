"""Warm towers: the encoder of a Whisper checkpoint in the toy's audio tower.

Qwen2.5-Omni's tower is a Whisper encoder that started from Whisper's weights. The toy's tower can start so too: every
weight of a checkpoint of openai-whisper's format fits by renaming, but the aligner, which is new. So small experiments
ask what the language model learns and not whether two cores can learn to hear in ten minutes.

The shipped recognizer was trained with transcripts on synthetic speech and forty words: its tower is no self-supervised
one, and tables that use it name it.
"""

from __future__ import annotations

import importlib.util
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.errors import RecipeError

if TYPE_CHECKING:
    import torch

RENAMED = (
    (r"blocks\.(\d+)\.", r"layers.\1."),
    (r"attn\.query\.", "self_attn.q_proj."),
    (r"attn\.key\.", "self_attn.k_proj."),
    (r"attn\.value\.", "self_attn.v_proj."),
    (r"attn\.out\.", "self_attn.out_proj."),
    (r"attn_ln\.", "self_attn_layer_norm."),
    (r"mlp_ln\.", "final_layer_norm."),
    (r"mlp\.0\.", "fc1."),
    (r"mlp\.2\.", "fc2."),
)
"""Whisper's names and those of the tower."""
OF_OUR_OWN = ("proj.", "audio_bos_eos_token.", "positional_embedding.")
"""What a tower has that no checkpoint gives: the aligner, two marks that are never fed, positions that are a formula."""


@dataclass(frozen=True)
class WhisperEncoder:
    """The encoder of a checkpoint: its shape, and its weights under the tower's names."""

    width: int
    layers: int
    heads: int
    mel_bins: int
    weights: dict[str, torch.Tensor]


def read_encoder(tower: str) -> WhisperEncoder:
    """The encoder that `model.tiny.tower` names: the shipped recognizer's ("demo"), or a checkpoint's at a path."""
    import torch

    path = demo_recognizer() if tower == "demo" else Path(tower)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        dims, state = saved["dims"], saved["model_state_dict"]
        weights = {
            rename(name.removeprefix("encoder.")): weight.float()
            for name, weight in state.items()
            if name.startswith("encoder.") and name != "encoder.positional_embedding"
        }
        return WhisperEncoder(
            width=int(dims["n_audio_state"]),
            layers=int(dims["n_audio_layer"]),
            heads=int(dims["n_audio_head"]),
            mel_bins=int(dims["n_mels"]),
            weights=weights,
        )
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, ValueError, TypeError, LookupError) as error:
        raise RecipeError(
            f"model.tiny.tower = {tower!r}: not a Whisper checkpoint ({first_line(error)}). "
            'Give "random", "demo", or the .pt file of openai-whisper.'
        ) from None


def first_line(error: Exception) -> str:
    """What an error says, short; its kind where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]


def demo_recognizer() -> Path:
    """The checkpoint of the toy recognizer, which lies beside the package's sample broadcast."""
    package = importlib.util.find_spec("aramega")
    assert package is not None  # it brings the recipes
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "sample" / "demo-asr.pt"


def rename(name: str) -> str:
    """A weight's name in the tower."""
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


def fill_tower(tower: Any, encoder: WhisperEncoder) -> None:
    """Put the weights in, all of them; only what no checkpoint has stays as it was drawn."""
    missing, unexpected = tower.load_state_dict(encoder.weights, strict=False)
    lacking = [name for name in missing if not name.startswith(OF_OUR_OWN)]
    if unexpected or lacking:
        raise RecipeError(f"model.tiny.tower: its weights don't fit the tower: {', '.join([*unexpected, *lacking])}.")
