"""Loads and saves Qwen2.5-Omni's thinker.

The thinker is the text-answering half of Qwen2.5-Omni: an audio tower whose last layer, `audio_tower.proj`
(the aligner), writes into the language model's embedding space. The talker, which answers in speech, is not loaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.errors import RecipeError
from recipes.models.collate import Encoder, chat_template
from recipes.models.compress import check_settings, install_compression, write_settings
from recipes.models.config import ModelConfig
from recipes.models.tiny import make_tiny_model

if TYPE_CHECKING:
    import torch


@dataclass
class LoadedModel:
    """A thinker, with or without adapters, and what turns examples into its inputs."""

    model: Any  # the thinker, or peft's PeftModel around it
    encoder: Encoder
    name: str

    @property
    def thinker(self) -> Any:
        """The thinker itself; adapters are inside its layers."""
        return self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model

    @property
    def device(self) -> torch.device:
        device: torch.device = self.thinker.lm_head.weight.device
        return device


def load_model(config: ModelConfig, *, device: str | torch.device = "cpu") -> LoadedModel:
    """The thinker of `config`, frozen or not as it comes, in evaluation mode on `device`."""
    import torch

    model: Any
    dtype = getattr(torch, config.dtype)
    if config.path == "tiny":
        model, tokenizer, features = make_tiny_model(config.tiny)
        model.to(dtype)
    else:
        model, tokenizer, features = load_pretrained(config.path, dtype=dtype, attention=config.attention)
        check_settings(Path(config.path), config.compress, trained=False)
    install_compression(model, audio_tower(model), config.compress)
    encoder = Encoder(
        tokenizer,
        features,
        audio_token_id=model.config.audio_token_id,
        system=config.system_prompt,
        compress=config.compress,
    )
    return LoadedModel(model=model.to(device).eval(), encoder=encoder, name=config.path)


def load_pretrained(path: str, *, dtype: torch.dtype, attention: str) -> tuple[Any, Any, Any]:
    """Model, tokenizer and mel features from a folder or the Hub. No image processor: that would need torchvision."""
    from transformers import AutoTokenizer, Qwen2_5OmniThinkerForConditionalGeneration, WhisperFeatureExtractor

    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        features = WhisperFeatureExtractor.from_pretrained(path)
        model = Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(
            path, dtype=dtype, attn_implementation=attention
        )
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"model.path = {path!r}: could not be loaded ({str(error).splitlines()[0]}). Give a folder with a "
            'Qwen2.5-Omni checkpoint, its name on the Hub, or "tiny".'
        ) from error
    return model, tokenizer, features


def save_model(loaded: LoadedModel, folder: Path) -> None:
    """A whole thinker with tokenizer and features, as `load_model` reads it, and the chat template of its training."""
    loaded.thinker.save_pretrained(folder)
    loaded.encoder.tokenizer.chat_template = chat_template(loaded.encoder.system)
    loaded.encoder.tokenizer.save_pretrained(folder)
    loaded.encoder.features.save_pretrained(folder)
    write_settings(folder, loaded.encoder.compress)


def saved_system(folder: Path) -> str:
    """The system turn of a saved model's training, from its chat template; empty where it names none of ours."""
    path = folder / "chat_template.jinja"
    template = path.read_text(encoding="utf-8") if path.is_file() else ""
    _, named, rest = template.partition("{%- set SYSTEM = ")
    try:
        return str(json.JSONDecoder().raw_decode(rest)[0]) if named else ""
    except ValueError:
        return ""


def audio_tower(thinker: Any) -> Any:
    """The audio encoder; transformers moved it below `model` in 5.21, which Python 3.10 does not get."""
    return thinker.model.audio_tower if hasattr(thinker.model, "audio_tower") else thinker.audio_tower


def enable_gradient_checkpointing(thinker: Any) -> None:
    """Recompute activations in the backward pass instead of keeping them."""
    enable = getattr(thinker, "activation_checkpointing_enable", None) or thinker.gradient_checkpointing_enable
    enable({"use_reentrant": False})
    # transformers now asks for gradients at every input, the audio tower's first convolution among them, for the sake
    # of reentrant checkpointing. We don't use that, and it would run the backward pass through a frozen tower.
    thinker.disable_input_require_grads()
