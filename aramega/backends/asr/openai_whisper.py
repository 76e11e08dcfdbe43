"""openai-whisper as a recognizer: batched, with the fallbacks of its paper for each window by itself.

A window whose text is a loop or a guess is put aside and decoded again at the next temperature together
with the others that failed, after the rest of the batch is done: no window waits for another's trouble. Where every
temperature fails, the likeliest of what was heard stays.
Nothing is carried from one window to the next (`condition_on_previous_text` off): that is what makes
windows independent, and what stops a loop from spreading.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aramega.backends.asr.checkpoints import check_model, load_model
from aramega.backends.asr.reading import Vocabulary, looks_wrong, trust
from aramega.backends.asr.recognizer import WINDOW_SECONDS, Heard, Phrase, Sound, Spoken, seconds_of
from aramega.backends.asr.word_edges import snap_to_sound
from aramega.config import TranscribeConfig
from aramega.cores import count_cores
from aramega.records import RATE, AramegaError
from aramega.text import compression_ratio

if TYPE_CHECKING:
    from torch import Tensor

    from aramega.backends.asr.decoding import BatchDecoder, Decoded

PREFIX = "openai-whisper:"
_CPU_BATCH = 16
"""More gains little: on two cores the encoder, which gains nothing, is most of the cost by then."""
_GPU_SHARE = 0.5
"""Of the free memory that the caches may take; the rest is for the encoder's activations."""


class OpenAiWhisper:
    """Whisper in its makers' own code."""

    def __init__(self, options: TranscribeConfig) -> None:
        self.options = options
        self.model = options.model.removeprefix(PREFIX)
        self.name = f"{PREFIX}{options.model_key.removeprefix(PREFIX)}"
        self.decoder: BatchDecoder
        self.device = ""

    def check(self) -> None:
        if self.options.precision == "int8" or self.options.beam > 1:
            option = "precision int8" if self.options.precision == "int8" else "beam"
            raise AramegaError(f'transcribe.{option} needs faster-whisper: model = "faster-whisper:NAME".')
        check_model(self.model)
        if self.options.device in ("cuda", "mps"):
            choose_device(self.options.device)

    def load(self) -> None:
        import torch

        from aramega.backends.asr.decoding import BatchDecoder

        self.device = choose_device(self.options.device)
        if self.device == "cpu":
            torch.set_num_threads(self.options.threads or _threads())
        model = load_model(self.model, self.device)
        fp16 = self.options.precision == "fp16" or (self.options.precision == "auto" and self.device == "cuda")
        if fp16:
            model = model.half()
        language = None if self.options.language == "auto" else self.options.language
        _check_language(language)
        self.decoder = BatchDecoder(
            model, language=language, prompt=self.options.prompt, max_tokens=self.options.max_tokens, fp16=fp16
        )
        tokenizer = self.decoder.tokenizer
        self.vocabulary = Vocabulary(tokenizer.eot, tokenizer.timestamp_begin, tokenizer.decode)

    def recognize(self, sounds: Sequence[Sound]) -> list[Heard]:
        """Decode all windows, the failing ones again at rising temperatures."""
        best: dict[int, tuple[Decoded, float]] = {}
        failing: dict[int, Tensor] = {}
        for rows, features in self._encoded(sounds):
            for row, feature, decoded in zip(rows, features, self._decode(features, 0, rows, sounds), strict=True):
                best[row] = (decoded, self.options.temperatures[0])
                if self._looks_wrong(decoded):
                    failing[row] = feature
        for attempt in range(1, len(self.options.temperatures)):
            failing = self._try_again(failing, attempt, sounds, best)
        return [self._heard(sounds[row], *best[row]) for row in range(len(sounds))]

    def _try_again(
        self, failing: dict[int, Tensor], attempt: int, sounds: Sequence[Sound], best: dict[int, tuple[Decoded, float]]
    ) -> dict[int, Tensor]:
        """Decode what failed at the next temperature; what fails still."""
        import torch

        rows = list(failing)
        still: dict[int, Tensor] = {}
        for begin in range(0, len(rows), self.windows_at_once):
            some = rows[begin : begin + self.windows_at_once]
            features = torch.stack([failing[row] for row in some])
            for row, decoded in zip(some, self._decode(features, attempt, some, sounds), strict=True):
                if self._trust(decoded) > self._trust(best[row][0]):
                    best[row] = (decoded, self.options.temperatures[attempt])
                if self._looks_wrong(decoded):
                    still[row] = failing[row]
        return still

    def _encoded(self, sounds: Sequence[Sound]) -> Iterator[tuple[list[int], Tensor]]:
        """The windows in batches of like length, encoded; a batch too big for the GPU is halved."""
        import torch

        order = sorted(range(len(sounds)), key=lambda row: len(sounds[row]))
        size, begin = self.windows_at_once, 0
        while begin < len(order):
            rows = order[begin : begin + size]
            try:
                yield rows, self.decoder.encode(torch.stack([self._mel(sounds[row]) for row in rows]))
            except torch.OutOfMemoryError:
                if size == 1:
                    raise AramegaError("the GPU's memory is too small for this model. Try a smaller one.") from None
                torch.cuda.empty_cache()
                size = max(1, size // 2)
                continue
            begin += len(rows)

    def _decode(self, features: Tensor, attempt: int, rows: Sequence[int], sounds: Sequence[Sound]) -> list[Decoded]:
        temperature = self.options.temperatures[attempt]
        seeds = [zlib.crc32(sounds[row].tobytes()) + attempt for row in rows] if temperature else [0] * len(rows)
        return self.decoder.decode(features, temperature, seeds)

    def _looks_wrong(self, decoded: Decoded) -> bool:
        return looks_wrong(self.vocabulary.text(decoded.tokens), decoded.avg_logprob, decoded.no_speech, self.options)

    def _trust(self, decoded: Decoded) -> tuple[bool, float]:
        return trust(self.vocabulary.text(decoded.tokens), decoded.avg_logprob, self.options)

    def _heard(self, sound: Sound, decoded: Decoded, temperature: float) -> Heard:
        phrases = self.vocabulary.phrases(decoded.tokens, seconds_of(sound))
        if self.options.word_timestamps and phrases:
            phrases = self._with_words(sound, phrases)
        return Heard(
            phrases=tuple(phrases),
            language=decoded.language,
            avg_logprob=decoded.avg_logprob,
            compression_ratio=compression_ratio(" ".join(p.text for p in phrases)),
            no_speech=decoded.no_speech,
            temperature=temperature,
        )

    def _with_words(self, sound: Sound, phrases: list[Phrase]) -> list[Phrase]:
        """When each word was said, by the decoder's attention, as whisper works it out."""
        from whisper.timing import add_word_timestamps

        segments: list[dict[str, Any]] = [
            {"seek": 0, "start": p.start, "end": p.end, "tokens": list(p.tokens), "text": p.text} for p in phrases
        ]
        add_word_timestamps(
            segments=segments,
            model=self.decoder.model,
            tokenizer=self.decoder.tokenizer,
            mel=self._mel(sound),
            num_frames=round(seconds_of(sound) * 100),
            last_speech_timestamp=0.0,
        )
        return [
            Phrase(p.start, p.end, p.text, p.tokens, snap_to_sound([_spoken(w) for w in s["words"]], sound))
            for p, s in zip(phrases, segments, strict=True)
        ]

    def _mel(self, sound: Sound) -> Tensor:
        import torch
        from whisper.audio import log_mel_spectrogram

        padded = np.zeros(round(WINDOW_SECONDS * RATE), np.float32)
        padded[: len(sound)] = sound
        mel: Tensor = log_mel_spectrogram(torch.from_numpy(padded), self.decoder.model.dims.n_mels, device=self.device)
        return mel.half() if self.decoder.task.options.fp16 else mel

    @property
    def windows_at_once(self) -> int:
        if self.options.batch:
            return self.options.batch
        if self.device != "cuda":
            return _CPU_BATCH
        import torch

        dims = self.decoder.model.dims
        cache = 2 * dims.n_text_layer * (dims.n_audio_ctx + dims.n_text_ctx) * dims.n_text_state * 2
        free, _ = torch.cuda.mem_get_info()
        return max(1, min(256, int(free * _GPU_SHARE / cache)))


def choose_device(wanted: str) -> str:
    """The device to use; one that was asked for and is not there is said not to be."""
    import torch

    devices = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(device for device, is_there in devices.items() if is_there)
    if not devices[wanted]:
        kind = "CUDA GPU" if wanted == "cuda" else "Apple GPU"
        raise AramegaError(
            f"device {wanted}: no {kind} to be seen here (torch {torch.__version__}). Leave --device out to use what "
            "there is, or install a torch that can see it."
        )
    return wanted


def _check_language(language: str | None) -> None:
    from whisper.tokenizer import LANGUAGES

    if language is not None and language not in LANGUAGES:
        raise AramegaError(
            f"transcribe.language is {language!r}: Whisper knows no such code. Arabic is `ar`; `auto` lets it choose."
        )


def _spoken(word: dict[str, Any]) -> Spoken:
    return Spoken(word["word"].strip(), float(word["start"]), float(word["end"]), float(word["probability"]))


def _threads() -> int:
    """Those that we may use, and fewer where OMP_NUM_THREADS says so."""
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        return max(1, int(os.environ["OMP_NUM_THREADS"]))
    return count_cores()
