"""Recognizers: what turns sound into text, behind two methods.

A recognizer is given windows of at most 30 s and says for each what was heard, phrase by phrase, with how
sure it was. It knows nothing of segments and passages; `stages/transcribe` cuts the windows and lays the
phrases back on the segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aramega.records import RATE

WINDOW_SECONDS = 30.0
"""What Whisper's encoder takes, whatever is in it."""

Sound = npt.NDArray[np.float32]
"""16 kHz mono, between -1 and 1, at most 30 s."""


@dataclass(frozen=True)
class Spoken:
    """A word as heard, in seconds of the window."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Phrase:
    """What was heard between two of the model's own timestamps, in seconds of the window."""

    start: float
    end: float
    text: str
    tokens: tuple[int, ...] = ()
    words: tuple[Spoken, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What was heard in one window, and how sure that is."""

    phrases: tuple[Phrase, ...]
    language: str
    avg_logprob: float | None
    """None where a server does not say how sure it is."""
    compression_ratio: float
    no_speech: float | None
    temperature: float

    @property
    def text(self) -> str:
        return " ".join(phrase.text for phrase in self.phrases if phrase.text)


class Recognizer(Protocol):
    name: str
    """What made the transcript, for the provenance: the backend, the model and its version."""

    def check(self) -> None:
        """Raise AramegaError for what can be known to be wrong without loading."""

    def load(self) -> None:
        """Bring the model into memory; raise AramegaError where it can't be."""

    @property
    def windows_at_once(self) -> int:
        """How many windows are best given together, once it is loaded."""
        ...

    def recognize(self, sounds: Sequence[Sound]) -> list[Heard]:
        """What was heard in each window, in order; each is decoded once a temperature at most."""
        ...


def seconds_of(sound: Sound) -> float:
    return len(sound) / RATE
