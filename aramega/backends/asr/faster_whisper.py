"""faster-whisper as a recognizer: Whisper by CTranslate2, for those who have it.

Quicker on a CPU, above all with int8 weights. Its own pipeline cuts the audio by its own VAD; we give it
our windows instead, and use its model, its features and its alignment.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aramega.backends.asr.reading import Vocabulary, looks_wrong, trust
from aramega.backends.asr.recognizer import WINDOW_SECONDS, Heard, Phrase, Sound, Spoken, seconds_of
from aramega.backends.asr.word_edges import snap_to_sound
from aramega.config import TranscribeConfig
from aramega.records import RATE, AramegaError
from aramega.text import compression_ratio

PREFIX = "faster-whisper:"
_BATCH = {"cpu": 8, "cuda": 32}
_BEAM = 5
"""On read prayers three points of WER better than greedy, for a tenth more time: a batch searches wide cheaply."""
_NO_REPEAT = 3
"""Tokens. On joined lines of a film and a series WER 0.822, against 0.860 with what is drawn at temperature 0.4."""


class FasterWhisper:
    """Whisper in CTranslate2."""

    def __init__(self, options: TranscribeConfig) -> None:
        self.options = options
        self.name = f"{PREFIX}{options.model_key.removeprefix(PREFIX)}"
        self.model: Any = None

    def check(self) -> None:
        if importlib.util.find_spec("faster_whisper") is None:
            raise AramegaError(
                f"--asr-model {self.options.model} needs faster-whisper: pip install '.[faster-whisper]' in aramega's clone."
            )
        path = Path(self._wanted).expanduser()
        if path.is_dir() and not (path / "model.bin").exists():
            raise AramegaError(
                f"{path}: not a CTranslate2 model (it has no model.bin). ct2-transformers-converter makes one."
            )
        if not path.exists() and os.sep not in self._wanted:
            self._check_name()
        elif not path.exists():
            raise AramegaError(f"--asr-model {self.options.model}: no such folder.")

    def load(self) -> None:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        folder = Path(self._wanted).expanduser()
        device = _device(self.options.device)
        try:
            self.model = WhisperModel(
                str(folder) if folder.exists() else self._wanted,
                device=device,
                compute_type=_compute_type(self.options.precision, device),
                cpu_threads=self.options.threads,
            )
        except Exception as error:  # noqa: BLE001  CTranslate2 and the hub raise many kinds
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise AramegaError(f"--asr-model {self.options.model}: cannot be loaded ({first}).") from None
        language = "ar" if self.options.language == "auto" else self.options.language
        self.tokenizer = Tokenizer(self.model.hf_tokenizer, self.model.model.is_multilingual, "transcribe", language)
        self.vocabulary = Vocabulary(self.tokenizer.eot, self.tokenizer.timestamp_begin, self.tokenizer.decode)

    def recognize(self, sounds: Sequence[Sound]) -> list[Heard]:
        """Decode all windows, the failing ones again at rising temperatures."""
        size = self.windows_at_once
        return [heard for i in range(0, len(sounds), size) for heard in self._recognize_batch(sounds[i : i + size])]

    @property
    def windows_at_once(self) -> int:
        return self.options.batch or _BATCH.get(self.model.model.device, 8)

    def _recognize_batch(self, sounds: Sequence[Sound]) -> list[Heard]:
        first, *others = self._tries()
        encoded = self.model.encode(np.stack([self._features(sound) for sound in sounds]))
        heard = self._decode(sounds, encoded, *first)
        failing = [row for row in range(len(sounds)) if self._looks_wrong(heard[row])]
        for one_more in others:
            if not failing:
                break
            again = self._decode([sounds[row] for row in failing], _rows(encoded, failing), *one_more)
            for row, other in zip(failing, again, strict=True):
                heard[row] = max(heard[row], other, key=self._trust)
            failing = [row for row, other in zip(failing, again, strict=True) if self._looks_wrong(other)]
        return heard

    def _tries(self) -> list[tuple[float, int]]:
        """Try by try the temperature, and how long a run of tokens may not come twice, 0 for any.

        In place of the second temperature stands a search without repetitions, which breaks a loop and draws nothing.
        """
        first, *others = self.options.temperatures
        return [(first, 0), *([(first, _NO_REPEAT)] if others else []), *((t, 0) for t in others[1:])]

    def _decode(self, sounds: Sequence[Sound], encoded: Any, temperature: float, no_repeat: int) -> list[Heard]:
        languages = self._languages(encoded, len(sounds))
        prompts = [self._prompt(language) for language in languages]
        most = self.options.max_tokens or self.model.max_length // 2
        results = self.model.model.generate(
            encoded,
            prompts,
            beam_size=(self.options.beam or _BEAM) if temperature == 0 else 1,
            max_length=min(self.model.max_length, len(prompts[0]) + most),
            return_scores=True,
            return_no_speech_prob=True,
            no_repeat_ngram_size=no_repeat,
            sampling_temperature=temperature,
            sampling_topk=1 if temperature == 0 else 0,
            suppress_tokens=self._suppressed(),
        )
        heard = [
            self._heard(sound, result, language, temperature)
            for sound, result, language in zip(sounds, results, languages, strict=True)
        ]
        return self._with_words(heard, sounds, encoded) if self.options.word_timestamps else heard

    def _heard(self, sound: Sound, result: Any, language: str, temperature: float) -> Heard:
        tokens = result.sequences_ids[0]
        phrases = self.vocabulary.phrases(tokens, seconds_of(sound))
        return Heard(
            phrases=tuple(phrases),
            language=language,
            avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
            compression_ratio=compression_ratio(" ".join(p.text for p in phrases)),
            no_speech=result.no_speech_prob,
            temperature=temperature,
        )

    def _with_words(self, heard: Sequence[Heard], sounds: Sequence[Sound], encoded: Any) -> list[Heard]:
        answers: list[list[dict[str, Any]]] = [
            [{"start": p.start, "end": p.end, "tokens": list(p.tokens), "text": p.text, "seek": 0} for p in h.phrases]
            for h in heard
        ]
        frames = [round(seconds_of(sound) * 100) for sound in sounds]
        self.model.add_word_timestamps(
            answers, self.tokenizer, encoded, frames, "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、", 0.0
        )
        return [
            replace(h, phrases=tuple(_with_spoken(p, t["words"], sound) for p, t in zip(h.phrases, some, strict=True)))
            for h, some, sound in zip(heard, answers, sounds, strict=True)
        ]

    def align(self, sound: Sound, text: str) -> tuple[Spoken, ...]:
        """When each word of `text` was said in the sound, whoever wrote it: what people corrected is aligned as a draft is."""
        whole = Phrase(0.0, seconds_of(sound), text, tuple(self.tokenizer.encode(f" {text}")))
        given = Heard((whole,), self.tokenizer.language_code, None, 1.0, None, 0.0)
        encoded = self.model.encode(np.stack([self._features(sound)]))
        return self._with_words([given], [sound], encoded)[0].phrases[0].words

    def _features(self, sound: Sound) -> Any:
        padded = np.zeros(round(WINDOW_SECONDS * RATE), np.float32)
        padded[: len(sound)] = sound
        return self.model.feature_extractor(padded, padding=0)[..., : round(WINDOW_SECONDS * 100)]

    def _languages(self, encoded: Any, count: int) -> list[str]:
        if self.options.language != "auto":
            return [self.options.language] * count
        return [guesses[0][0].strip("<|>") for guesses in self.model.model.detect_language(encoded)]

    def _prompt(self, language: str) -> list[int]:
        tokens = self.model.get_prompt(
            self.tokenizer, self.tokenizer.encode(f" {self.options.prompt}") if self.options.prompt else [], False
        )
        token_id = self.tokenizer.tokenizer.token_to_id(f"<|{language}|>")
        if token_id is None:
            raise AramegaError(f"transcribe.language is {language!r}: this model knows no such code. Arabic is `ar`.")
        return [token_id if token == self.tokenizer.language else token for token in tokens]

    def _suppressed(self) -> list[int]:
        from faster_whisper.transcribe import get_suppressed_tokens

        return list(get_suppressed_tokens(self.tokenizer, [-1]))

    def _looks_wrong(self, heard: Heard) -> bool:
        return looks_wrong(heard.text, heard.avg_logprob or 0.0, heard.no_speech or 0.0, self.options)

    def _trust(self, heard: Heard) -> tuple[bool, float]:
        return trust(heard.text, heard.avg_logprob or 0.0, self.options)

    @property
    def _wanted(self) -> str:
        return self.options.model.removeprefix(PREFIX)

    def _check_name(self) -> None:
        from faster_whisper import available_models

        if self._wanted not in available_models():
            raise AramegaError(
                f"--asr-model {self.options.model}: no such Whisper and no such folder or file. "
                f"The names are: {', '.join(available_models())}; and `demo`, a toy that comes with this package."
            )


def _device(wanted: str) -> str:
    from ctranslate2 import get_cuda_device_count

    if wanted != "auto":
        return wanted
    return "cuda" if get_cuda_device_count() else "cpu"


def _compute_type(precision: str, device: str) -> str:
    """int8 on a CPU: on read prayers no word worse than fp32, for two thirds of its time."""
    if precision == "auto":
        return "int8" if device == "cpu" else "default"
    return {"fp32": "float32", "fp16": "float16"}.get(precision, precision)


def _rows(encoded: Any, rows: Sequence[int]) -> Any:
    """Some windows of an encoded batch, without encoding them again."""
    from ctranslate2 import Device, StorageView

    return StorageView.from_array(np.ascontiguousarray(np.asarray(encoded.to_device(Device.cpu))[list(rows)]))


def _with_spoken(phrase: Phrase, words: Sequence[dict[str, Any]], sound: Sound) -> Phrase:
    spoken = [Spoken(w["word"].strip(), float(w["start"]), float(w["end"]), float(w["probability"])) for w in words]
    return replace(phrase, words=snap_to_sound(spoken, sound))
