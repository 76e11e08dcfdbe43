"""[model]: which model, in what arithmetic, and the shape of the toy that stands in for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recipes.models.compress import CompressConfig
from recipes.sections import Section


class TinyShape(Section):
    """The toy model that is made on the spot when `model.path` is "tiny"."""

    width: int = Field(64, description="width of the language model")
    layers: int = Field(2, description="layers of the language model")
    audio_width: int = Field(64, description="width of the audio tower")
    audio_layers: int = Field(2, description="layers of the audio tower")
    tower: str = Field(
        "random",
        description='weights of the audio tower: "random", "demo" (the shipped recognizer\'s), or the path of a Whisper '
        "checkpoint (.pt), which gives its width, layers and mel bands too",
    )
    head_width: int = Field(16, description="width of one attention head, a multiple of 8", multiple_of=8)
    mel_bins: int = Field(128, description="mel bands; 128 in the real model")
    vocabulary: int = Field(512, description="tokens of the byte-level tokenizer", ge=300)
    seed: int = Field(0, description="seed of the weights")


class ModelConfig(Section):
    """[model]"""

    path: str = Field("Qwen/Qwen2.5-Omni-7B", description='a local folder, a Hub name, or "tiny"')
    dtype: Literal["bfloat16", "float32"] = Field("bfloat16", description="number format of the frozen weights")
    attention: Literal["sdpa", "flash_attention_2", "eager"] = Field("sdpa", description="attention kernel")
    system_prompt: str = Field("You are a helpful assistant.", description="the system turn of every prompt")
    tiny: TinyShape = TinyShape()
    compress: CompressConfig = CompressConfig()
