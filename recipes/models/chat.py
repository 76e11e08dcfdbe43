"""Chat requests of OpenAI's protocol to prompts, and answers to replies: what `recipes.serve` says over HTTP.

A question is one user's turn, with at most one clip in it (`input_audio`, any format that libsndfile reads), behind a
system turn of its own or that of the model's training. Turns that came before are refused: the recipes train on single
questions, and an answer to a longer talk would be a guess.
"""

from __future__ import annotations

import base64
import binascii
import io
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from recipes.errors import RecipeError
from recipes.models.collate import SAMPLE_RATE, Encoder, Prompt
from recipes.models.generate import generate
from recipes.models.load import LoadedModel

MOST_TOKENS = 1024
"""The longest answer, whatever a request allows."""


@dataclass(frozen=True)
class Question:
    """A chat request, checked."""

    words: str
    audio: np.ndarray | None
    system: str
    """Empty for that of the model's training."""
    max_tokens: int


def read_question(body: Any) -> Question:
    """The question in a request's body; `RecipeError` says what is wrong with it."""
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), list) or not body["messages"]:
        raise RecipeError("a chat request is an object with a list of `messages` in it")
    if body.get("stream"):
        raise RecipeError("answers are not streamed here: leave `stream` out")
    turns = body["messages"]
    roles = [turn.get("role") if isinstance(turn, Mapping) else None for turn in turns]
    if roles not in (["user"], ["system", "user"]):
        raise RecipeError(
            f"give one user's turn, behind a system turn or none; these are: {', '.join(map(str, roles))}"
        )
    words, sounds = read_parts(turns[-1].get("content"))
    system, none = read_parts(turns[0].get("content")) if len(turns) > 1 else ("", [])
    if len(sounds) > 1 or none:
        raise RecipeError("give one clip at most, in the user's turn")
    if not words.strip():
        raise RecipeError("there is no text beside the sound: say what to do with it")
    limit = body.get("max_tokens", body.get("max_completion_tokens", 256))
    if not isinstance(limit, int) or limit < 1:
        raise RecipeError(f"max_tokens is {limit!r}, and should be a whole number from 1")
    return Question(words.strip(), sounds[0] if sounds else None, system, min(limit, MOST_TOKENS))


def read_parts(content: Any) -> tuple[str, list[np.ndarray]]:
    """The text of a message's content, a string or a list of parts, and its clips."""
    if isinstance(content, str):
        return content, []
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        raise RecipeError("a message's `content` is a text or a list of parts")
    texts: list[str] = []
    sounds: list[np.ndarray] = []
    for part in content:
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif part.get("type") == "input_audio" and isinstance(part.get("input_audio"), Mapping):
            sounds.append(read_sound(part["input_audio"].get("data")))
        else:
            raise RecipeError(f"a part of type {part.get('type')!r}: only text and input_audio are understood here")
    return "\n".join(texts), sounds


def read_sound(data: Any) -> np.ndarray:
    """A clip in base64 as 16 kHz mono."""
    import soundfile
    from scipy.signal import resample_poly

    try:
        samples, rate = soundfile.read(
            io.BytesIO(base64.b64decode(data, validate=True)), dtype="float32", always_2d=True
        )
    except (binascii.Error, TypeError, ValueError, RuntimeError) as error:
        raise RecipeError(
            f"input_audio: no sound that can be read ({error}). Send WAV, FLAC or MP3 in base64."
        ) from None
    mono = samples.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise RecipeError("input_audio: there are no samples in it, or some that are no numbers")
    if rate != SAMPLE_RATE:
        common = gcd(rate, SAMPLE_RATE)
        mono = resample_poly(mono, SAMPLE_RATE // common, rate // common)
    sound: np.ndarray = mono.astype(np.float32)
    return sound


def answer_question(model: LoadedModel, question: Question, *, name: str) -> dict[str, Any]:
    """The model's answer, as a chat completion."""
    encoder = model.encoder if not question.system else with_system(model.encoder, question.system)
    inputs = encoder.prompts([Prompt(question.words, audio=question.audio, name="the question")])
    (text,) = generate(model, inputs, max_new_tokens=question.max_tokens)
    (length,) = encoder.count_words([text])
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": name,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "length" if length >= question.max_tokens else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": inputs.tokens,
            "completion_tokens": length + 1,
            "total_tokens": inputs.tokens + length + 1,
        },
    }


def with_system(encoder: Encoder, system: str) -> Encoder:
    """The same encoder with another system turn."""
    return Encoder(
        encoder.tokenizer,
        encoder.features,
        audio_token_id=encoder.audio_id,
        system=system,
        compress=encoder.compress,
    )


def model_list(names: Sequence[str]) -> dict[str, Any]:
    """The answer to which models there are."""
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "recipes"} for name in names]}
