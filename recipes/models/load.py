"""Loads and saves Qwen2.5-Omni's thinker.

The thinker is the text-answering half of Qwen2.5-Omni: an audio tower whose last layer, `audio_tower.proj`
(the aligner), writes into the language model's embedding space. The talker, which answers in speech, is not loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.errors import RecipeError
from recipes.models.collate import Encoder, Inputs, chat_template
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
        return self.thinker.lm_head.weight.device


def load_model(config: ModelConfig, *, device: str | torch.device = "cpu") -> LoadedModel:
    """The thinker of `config`, frozen or not as it comes, in evaluation mode on `device`."""
    import torch

    dtype = getattr(torch, config.dtype)
    if config.path == "tiny":
        model, tokenizer, features = make_tiny_model(config.tiny)
        model.to(dtype)
    else:
        model, tokenizer, features = load_pretrained(config.path, dtype=dtype, attention=config.attention)
    encoder = Encoder(tokenizer, features, audio_token_id=model.config.audio_token_id, system=config.system_prompt)
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


def target_losses(loaded: LoadedModel, inputs: Inputs) -> torch.Tensor:
    """Summed negative log-likelihood of each example's target: one number a row, on the model's device."""
    import torch
    from torch.nn import functional as F

    device = loaded.device
    # The positions were worked out on the CPU, so that finding them waits for no GPU. The audio tower does wait: with
    # sdpa it reads its clips' lengths back in every layer.
    with output_layer_on(loaded.thinker, inputs.target_positions.to(device, non_blocking=True)):
        logits = loaded.thinker(**inputs.model_inputs(device), use_cache=False).logits.float()
    losses = F.cross_entropy(logits, inputs.target_ids.to(device, non_blocking=True), reduction="none")
    rows = inputs.target_rows.to(device, non_blocking=True)
    return torch.zeros(len(inputs.rows), device=device).index_add(0, rows, losses)


@contextmanager
def output_layer_on(thinker: Any, positions: torch.Tensor) -> Iterator[None]:
    """Run the output layer on these positions of the flattened batch alone."""

    def select(_: Any, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        return (arguments[0].flatten(0, 1).index_select(0, positions),)

    hook = thinker.lm_head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        hook.remove()
