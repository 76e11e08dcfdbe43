"""Baselines: what a fine-tuned model must beat to have learned something.

*Majority* answers every discriminative example with the most frequent training label, and shows what a
lopsided test set gives away for nothing. The *cascade* is the way without an audio LLM: Whisper writes the
transcript, and a text LLM does the rest from that transcript, with the same instructions, parsers and metrics.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from recipes.data.examples import Examples, LoadedExample
from recipes.errors import RecipeError
from recipes.evaluation.config import EndpointConfig
from recipes.evaluation.endpoint import ask_all
from recipes.evaluation.predictions import Prediction

Transcribe = Callable[[Sequence[np.ndarray]], list[str]]
Chat = Callable[[Sequence[str]], list[str]]
WINDOW = 30 * 16_000
"""Whisper hears 30 s at a time."""


def majority(train: Examples, test: Examples) -> Iterator[Prediction]:
    """The most frequent training label, for the discriminative tasks; the others have no majority."""
    counts: dict[str, Counter[str]] = {}
    for example in train:
        if train.tasks[example.task].kind == "discriminative":
            counts.setdefault(example.task, Counter())[example.label] += 1
    if not counts:
        raise RecipeError("the majority baseline needs a discriminative task (dialect, emotion); this run has none.")
    for i, example in enumerate(test):
        if example.task in counts:
            yield prediction(test, i, counts[example.task].most_common(1)[0][0])


def cascade(
    test: Examples, transcribe: Transcribe, chat: Chat, *, seed: int = 0, batch: int = 16
) -> Iterator[Prediction]:
    """Answer ASR with Whisper's transcript and other tasks with the LLM's reply to it. Each clip is heard once."""
    transcripts: dict[str, str] = {}
    for start in range(0, len(test), batch):
        indices = range(start, min(start + batch, len(test)))
        loaded = {i: test.load(i) for i in indices}
        unheard = {row.example.clip: row.audio for row in loaded.values() if row.audio is not None}
        unheard = {clip: audio for clip, audio in unheard.items() if clip not in transcripts}
        transcripts.update(zip(unheard, transcribe(list(unheard.values())) if unheard else [], strict=True))
        asked = [i for i in indices if test[i].task != "asr"]
        prompts = [_as_text(test, i, loaded[i], transcripts, seed) for i in asked]
        answers = dict(zip(asked, chat(prompts) if prompts else [], strict=True))
        for i in indices:
            yield prediction(test, i, answers[i] if i in answers else transcripts[test[i].clip])


def prediction(examples: Examples, i: int, answer: str) -> Prediction:
    """A baseline's answer as a prediction."""
    loaded = examples.text(i)
    example, columns = loaded.example, loaded.columns
    return Prediction(
        task=example.task,
        example=examples.name(i),
        answer=answer,
        reference=examples.target(i),
        label=example.label,
        dialect=columns.get("dialect"),
        seconds=example.seconds,
        snr_db=columns.get("snr_db"),
        modality=example.modality,
        language=example.language,
        recording=loaded.named("recording"),
        speaker=loaded.named("speaker"),
    )


def whisper(path: str, *, device: str = "cpu", language: str = "ar") -> Transcribe:
    """A Whisper checkpoint in transformers' format as a transcriber; clips beyond 30 s are heard in windows."""
    import torch
    from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

    try:
        model: Any = WhisperForConditionalGeneration.from_pretrained(path)
        tokenizer, features = AutoTokenizer.from_pretrained(path), WhisperFeatureExtractor.from_pretrained(path)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RecipeError(
            f"--whisper {path}: no Whisper checkpoint in transformers' format there ({reason})."
        ) from None
    model.to(device).eval()
    spoken = (
        {"language": language, "task": "transcribe"} if getattr(model.generation_config, "lang_to_id", None) else {}
    )

    def transcribe(clips: Sequence[np.ndarray]) -> list[str]:
        windows = [(i, clip[at : at + WINDOW]) for i, clip in enumerate(clips) for at in range(0, len(clip), WINDOW)]
        heard = features([window for _, window in windows], sampling_rate=16_000, return_tensors="pt")
        with torch.inference_mode():
            tokens = model.generate(heard.input_features.to(model.device, model.dtype), **spoken)
        texts: list[list[str]] = [[] for _ in clips]
        for (i, _), text in zip(windows, tokenizer.batch_decode(tokens, skip_special_tokens=True), strict=True):
            texts[i].append(text.strip())
        return [" ".join(parts) for parts in texts]

    return transcribe


def endpoint_chat(config: EndpointConfig) -> Chat:
    """The text LLM behind an OpenAI-compatible endpoint. A question it fails is answered with nothing: invalid."""

    def chat(prompts: Sequence[str]) -> list[str]:
        questions = [[{"role": "user", "content": prompt}] for prompt in prompts]
        answers = ask_all(config, questions, lambda text: text)
        if all(answer.value is None for answer in answers):
            raise RecipeError(f"the cascade's LLM answered none of {len(answers)} questions: {answers[0].error}.")
        return [answer.value or "" for answer in answers]

    return chat


def _as_text(test: Examples, i: int, loaded: LoadedExample, transcripts: dict[str, str], seed: int) -> str:
    example = loaded.example
    document = loaded.document if loaded.audio is None else transcripts[example.clip]
    ask = test.tasks[example.task].instruction(random.Random(f"{seed} {test.name(i)}"), "text", example.language)
    return f"{ask}\n\n{document}"
