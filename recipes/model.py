"""The audio LLM: loading Qwen2.5-Omni's thinker, its loss on targets, its answers, its aligner's view of a clip.

The thinker is the text-answering half of Qwen2.5-Omni: an audio tower whose last layer, `audio_tower.proj`
(the aligner), writes into the language model's embedding space. The loss here runs the output layer on
target positions only: with 152,064 tokens in the vocabulary the logits of a whole batch would be
the largest tensor of a step, and most of them are never looked at. The talker (speech output) is not loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.collate import Encoder, Inputs, chat_template
from recipes.config import ModelConfig
from recipes.errors import RecipeError
from recipes.tiny import make_tiny_model

if TYPE_CHECKING:
    import torch

SAMPLE_RATE = 16_000


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


def audio_tower(thinker: Any) -> Any:
    """The audio encoder; transformers moved it below `model` in 5.21, which Python 3.10 does not get."""
    return thinker.model.audio_tower if hasattr(thinker.model, "audio_tower") else thinker.audio_tower


def generate(loaded: LoadedModel, prompts: Inputs, *, max_new_tokens: int = 256) -> list[str]:
    """Greedy answers to a batch of prompts (padded on the left: see `Encoder.prompts`)."""
    import torch

    tokenizer = loaded.encoder.tokenizer
    inputs = prompts.model_inputs(loaded.device)
    was_training = loaded.model.training
    loaded.model.eval()
    with torch.inference_mode():
        answers = loaded.model.generate(
            **inputs,
            use_cache=True,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=loaded.encoder.end_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    loaded.model.train(was_training)
    return [
        text.strip()
        for text in tokenizer.batch_decode(answers[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    ]


def aligner_embeddings(loaded: LoadedModel, clips: Sequence[np.ndarray]) -> np.ndarray:
    """Each clip (16 kHz mono) at the aligner, averaged over its frames: float32, one row a clip."""
    mels = [loaded.encoder.mel(clip) for clip in clips]
    return embed_mels(loaded, mels)


def embed_mels(loaded: LoadedModel, mels: Sequence[np.ndarray]) -> np.ndarray:
    """Mel features (bands × frames) at the aligner. The tower takes clips end to end: no padding at all."""
    import torch

    tower = audio_tower(loaded.thinker)
    lengths = torch.tensor([mel.shape[1] for mel in mels])
    packed = torch.from_numpy(np.concatenate(mels, axis=1))
    with torch.inference_mode():
        halved, tokens = tower._get_feat_extract_output_lengths(lengths)
        frames = tower(
            packed.to(loaded.device, tower.conv1.weight.dtype),
            feature_lens=lengths.to(loaded.device),
            aftercnn_lens=halved.to(loaded.device),
        )
        means = torch.segment_reduce(frames.last_hidden_state.float(), "mean", lengths=tokens.to(loaded.device), axis=0)
    return means.cpu().numpy()


def aligner_key(loaded: LoadedModel) -> str:
    """What names the aligner's view: a hash of the audio tower's weights, wherever they came from."""
    import torch

    digest = hashlib.sha256()
    for name, weight in sorted(audio_tower(loaded.thinker).state_dict().items()):
        digest.update(name.encode())
        digest.update(weight.detach().contiguous().view(torch.uint8).cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
