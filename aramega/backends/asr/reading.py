"""Reading what a Whisper decoded, whichever code did the decoding: phrases between timestamps, and whether the text
looks like a loop or a guess by the thresholds of its paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aramega.backends.asr.recognizer import Phrase
from aramega.config import TranscribeConfig
from aramega.text import compression_ratio

TIME_STEP = 0.02
"""Seconds between two of Whisper's timestamp tokens."""


@dataclass(frozen=True)
class Vocabulary:
    """What must be known of a tokenizer to read its tokens."""

    end: int
    """The end-of-text token; everything from here on is control."""
    times_from: int
    decode: Callable[[list[int]], str]

    def text(self, tokens: Sequence[int]) -> str:
        return self.decode([token for token in tokens if token < self.end]).strip()

    def phrases(self, tokens: Sequence[int], seconds: float) -> list[Phrase]:
        """The stretches between timestamps; one that is cut off ends with the window."""
        phrases: list[Phrase] = []
        start, inside = 0.0, list[int]()
        for token in tokens:
            if token < self.times_from:
                inside.append(token)
                continue
            at = min(seconds, (token - self.times_from) * TIME_STEP)
            if inside:
                phrases.append(self._phrase(start, at, inside))
                inside = []
            start = at
        if inside:
            phrases.append(self._phrase(start, seconds, inside))
        return [phrase for phrase in phrases if phrase.text]

    def _phrase(self, start: float, end: float, tokens: Sequence[int]) -> Phrase:
        text_tokens = tuple(token for token in tokens if token < self.end)
        return Phrase(start, end, self.text(text_tokens), text_tokens)


def looks_wrong(text: str, avg_logprob: float, no_speech: float, options: TranscribeConfig) -> bool:
    """A loop or a guess, unless it is a guess about silence."""
    if no_speech > options.max_no_speech and avg_logprob < options.min_logprob:
        return False
    return compression_ratio(text) > options.max_compression_ratio or avg_logprob < options.min_logprob


def trust(text: str, avg_logprob: float, options: TranscribeConfig) -> tuple[bool, float]:
    """The greater, the likelier that this is what was said: any text before a loop, then the less of a guess."""
    return compression_ratio(text) <= options.max_compression_ratio, avg_logprob
