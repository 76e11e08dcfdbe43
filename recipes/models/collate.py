"""Makes tensors of examples: the prompt, the mel features, the padding, and which tokens carry the loss.

A sequence is ChatML as Qwen2.5-Omni was tuned on: system turn, user turn (audio, then the instruction), assistant turn.
Only the assistant's words and the token that ends the turn are targets. Every random choice is drawn from (seed, step,
example), never from a running generator: so a resumed run and any number of processes see the same prompts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.errors import RecipeError
from recipes.models.compress import NO_COMPRESSION, CompressConfig, compressed_tokens

if TYPE_CHECKING:
    import torch

SAMPLE_RATE = 16_000
IGNORED = -100


# The same prompts as Encoder writes, for whatever loads a saved model: SYSTEM stands for the system turn of training.
CHAT_TEMPLATE = """\
{%- if messages[0].role != "system" -%}
    {{- "<|im_start|>system\\n" + SYSTEM + "<|im_end|>\\n" -}}
{%- endif -%}
{%- for message in messages -%}
    {{- "<|im_start|>" + message.role + "\\n" -}}
    {%- if message.content is string -%}
        {{- message.content -}}
    {%- else -%}
        {%- for part in message.content -%}
            {{- "<|audio_bos|><|AUDIO|><|audio_eos|>" if part.type == "audio" else part.text -}}
        {%- endfor -%}
    {%- endif -%}
    {{- "<|im_end|>\\n" -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- "<|im_start|>assistant\\n" -}}
{%- endif -%}
"""


def chat_template(system: str) -> str:
    """The template of a model that was trained with this system turn."""
    return f"{{%- set SYSTEM = {json.dumps(system, ensure_ascii=False)} -%}}\n" + CHAT_TEMPLATE


@dataclass(frozen=True)
class Prompt:
    """One example as the model gets it; `target` is empty when the model shall answer itself."""

    words: str  # the instruction, with the text to work on where there is no audio
    target: str = ""
    audio: np.ndarray | None = None  # 16 kHz mono
    name: str = ""  # for error messages


@dataclass
class Inputs:
    """A padded batch on the CPU. `target_*` are flat: where the loss is taken, on which token, for which row."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: torch.Tensor
    input_features: torch.Tensor | None
    feature_attention_mask: torch.Tensor | None
    target_positions: torch.Tensor
    target_ids: torch.Tensor
    target_rows: torch.Tensor
    rows: list[str]

    def model_inputs(self, device: torch.device | str) -> dict[str, torch.Tensor]:
        """What the thinker's forward takes."""
        named = {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "input_features": self.input_features,
            "feature_attention_mask": self.feature_attention_mask,
        }
        return {name: value.to(device, non_blocking=True) for name, value in named.items() if value is not None}

    def pin(self) -> Inputs:
        """The same batch in page-locked memory, from which copies to a GPU overlap with its work."""
        return Inputs(**{k: v.pin_memory() if hasattr(v, "pin_memory") else v for k, v in vars(self).items()})

    @property
    def targets(self) -> int:
        return len(self.target_ids)

    @property
    def tokens(self) -> int:
        """Real tokens, without padding."""
        return int(self.attention_mask.sum())


@dataclass(frozen=True)
class Encoded:
    ids: list[int]
    prompt_length: int


class Encoder:
    """Tokenizer and mel features of one model."""

    def __init__(
        self,
        tokenizer: Any,
        features: Any,
        *,
        audio_token_id: int,
        system: str,
        compress: CompressConfig = NO_COMPRESSION,
    ) -> None:
        self.tokenizer, self.features, self.system, self.compress = tokenizer, features, system, compress
        self.audio_id = audio_token_id
        self.end_id: int = tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.max_seconds = features.n_samples / SAMPLE_RATE
        self._open = self._ids(f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n")
        self._close = self._ids("<|im_end|>\n<|im_start|>assistant\n")
        self._audio_open, self._audio_close = self._ids("<|audio_bos|>"), self._ids("<|audio_eos|>")

    def examples(self, prompts: Sequence[Prompt]) -> Inputs:
        """A training batch: targets included, padded on the right."""
        for prompt in prompts:
            if not prompt.target.strip():
                raise RecipeError(f"{prompt.name or 'an example'}: its target is empty, so there is nothing to learn.")
        return self._pad(prompts, side="right")

    def prompts(self, prompts: Sequence[Prompt]) -> Inputs:
        """A batch to answer: no targets, padded on the left so that every row ends where its answer begins."""
        return self._pad([replace(prompt, target="") for prompt in prompts], side="left")

    def check_seconds(self, seconds: float, *, name: str) -> None:
        """Refuse a clip that is longer than the window of the model's own feature extractor."""
        if seconds > self.max_seconds:
            raise RecipeError(
                f"{name}: {seconds:.1f} s, the model takes {self.max_seconds:.0f} s at most. "
                f"Set data.max_seconds = {self.max_seconds:.0f} or less: longer clips are left out then."
            )

    def frame_tokens(self, seconds: float) -> int:
        """Tokens of a sequence besides its instruction and target, without reading the audio."""
        audio = self.audio_tokens(mel_frames(round(seconds * SAMPLE_RATE))) + 2 if seconds else 0
        return len(self._open) + audio + len(self._close) + 1

    def audio_tokens(self, frames: int) -> int:
        """Tokens that the language model gets for mel frames."""
        return compressed_tokens(audio_tokens(frames), self.compress)

    def count_words(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text; many at once, which is far faster."""
        batch = self.tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)
        return [len(ids) for ids in batch["input_ids"]]

    def mel(self, audio: np.ndarray) -> np.ndarray:
        """Log-mel features (bands × frames) of one clip, as Qwen's processor gives it for any clip that its window holds.

        The last frames look 200 samples past the clip's end; the processor has zeros there, so we add them.
        """
        padded = np.concatenate([audio.astype(np.float32, copy=False), np.zeros(self.features.n_fft, np.float32)])
        features = self.features(
            padded, sampling_rate=SAMPLE_RATE, padding="do_not_pad", truncation=False, return_tensors="np"
        )
        mel: np.ndarray = features["input_features"][0]
        return mel[:, : mel_frames(len(audio))]

    def _pad(self, prompts: Sequence[Prompt], *, side: str) -> Inputs:
        """A batch of sequences, padded on this side, with the positions of its targets."""

        import torch

        mels = [self._checked_mel(prompt) for prompt in prompts]
        sequences = [self._sequence(prompt, mel) for prompt, mel in zip(prompts, mels, strict=True)]
        shape = (len(sequences), max(len(sequence.ids) for sequence in sequences))
        ids = np.full(shape, self.tokenizer.pad_token_id, np.int64)
        mask, labels = np.zeros(shape, np.int64), np.full(shape, IGNORED, np.int64)
        for row, sequence in enumerate(sequences):
            length = len(sequence.ids)
            start = shape[1] - length if side == "left" else 0
            ids[row, start : start + length] = sequence.ids
            mask[row, start : start + length] = 1
            labels[row, start + sequence.prompt_length : start + length] = sequence.ids[sequence.prompt_length :]
        target_rows, columns = np.nonzero(labels != IGNORED)
        features, frames = stack_mels([mel for mel in mels if mel is not None])
        return Inputs(
            input_ids=torch.from_numpy(ids),
            attention_mask=torch.from_numpy(mask),
            labels=torch.from_numpy(labels),
            input_features=None if features is None else torch.from_numpy(features),
            feature_attention_mask=None if frames is None else torch.from_numpy(frames),
            target_positions=torch.from_numpy(target_rows * shape[1] + columns - 1),
            target_ids=torch.from_numpy(labels[target_rows, columns]),
            target_rows=torch.from_numpy(target_rows),
            rows=[prompt.name for prompt in prompts],
        )

    def _checked_mel(self, prompt: Prompt) -> np.ndarray | None:
        """The mel features of a prompt's clip; a clip that is too long or too short is an error."""
        if prompt.audio is None:
            return None
        seconds = len(prompt.audio) / SAMPLE_RATE
        self.check_seconds(seconds, name=prompt.name or "a clip")
        if audio_tokens(mel_frames(len(prompt.audio))) < 1:
            raise RecipeError(f"{prompt.name or 'a clip'}: {seconds * 1000:.0f} ms of audio is too short to encode.")
        return self.mel(prompt.audio)

    def _sequence(self, prompt: Prompt, mel: np.ndarray | None) -> Encoded:
        ids = list(self._open)
        if mel is not None:
            ids += [*self._audio_open, *[self.audio_id] * self.audio_tokens(mel.shape[1]), *self._audio_close]
        ids += self._words(prompt.words) + self._close
        target = [*self._words(prompt.target), self.end_id] if prompt.target else []
        return Encoded(ids + target, len(ids))

    def _ids(self, markup: str) -> list[int]:
        ids: list[int] = self.tokenizer(markup, add_special_tokens=False)["input_ids"]
        return ids

    def _words(self, text: str) -> list[int]:
        """Text from data: a "<|im_end|>" in it is letters, and can't close the turn."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return ids


def mel_frames(samples: int) -> int:
    """Frames of 10 ms, the last one begun counted."""
    return -(-samples // 160)


def audio_tokens(frames: int) -> int:
    """Frames of 40 ms that the audio tower makes of mel frames, before any compression."""
    return ((frames - 1) // 2 + 1 - 2) // 2 + 1


def stack_mels(mels: Sequence[np.ndarray]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Padded features (clips × bands × frames) and their mask; none at all for a batch of text."""
    if not mels:
        return None, None
    longest = max(mel.shape[1] for mel in mels)
    features = np.zeros((len(mels), mels[0].shape[0], longest), np.float32)
    mask = np.zeros((len(mels), longest), np.int64)
    for row, mel in enumerate(mels):
        features[row, :, : mel.shape[1]] = mel
        mask[row, : mel.shape[1]] = 1
    return features, mask
