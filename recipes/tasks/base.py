"""What a task is: columns it reads, how it asks, what it expects, how an answer is read back and scored.

Scores are built from *tallies*: one row of numbers per example (errors and words for WER, a cell of the
confusion matrix for F1), such that every metric is a function of the rows' sum. That one idea gives corpus
scores, bootstrap intervals and paired tests over thousands of resamples as plain matrix products, without
any metric being told about them. A task is one file here; `register` adds it under its name.
"""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np

from aramega.text import edit_counts, normalize
from recipes.errors import RecipeError
from recipes.tasks.labels import DIALECTS, EMOTIONS, Inventory, LabelLanguage
from recipes.tasks.languages import ARABIC

Kind = Literal["generative", "discriminative"]
Modality = Literal["speech", "text", "foreign"]


class TaskError(RecipeError):
    """Something in a configuration or a dataset that its owner can mend."""


@dataclass(frozen=True)
class TaskOptions:
    """What tasks are built from; the same for all, so that adding a task changes nothing else."""

    dialects: Inventory = field(default_factory=DIALECTS.regions)
    emotions: Inventory = EMOTIONS
    label_language: LabelLanguage = "en"
    profile: str = "asr"
    """The normalization profile (aramega.text) texts are compared under."""


class Task(ABC):
    """One thing to ask of the model, and how its answers are scored."""

    name: str
    kind: Kind
    uses_audio: bool
    columns: tuple[str, ...]
    """The columns a row must have, besides `audio` where the task hears it; the last one is what targets are made of."""
    headline: str
    """The metric that says how well the task goes."""
    lower_is_better: bool = False

    def __init__(self, options: TaskOptions) -> None:
        self.options = options

    @property
    def needed_columns(self) -> tuple[str, ...]:
        return ("audio", *self.columns) if self.uses_audio else self.columns

    @abstractmethod
    def instructions(self, modality: Modality, language: str = ARABIC) -> Sequence[str]:
        """Every way to ask for an answer in `language`: in Arabic and English for Arabic, in English for any other."""

    def instruction(self, rng: random.Random, modality: Modality = "speech", language: str = ARABIC) -> str:
        return rng.choice(self.instructions(modality, language))

    @abstractmethod
    def target_of(self, columns: Mapping[str, Any]) -> str:
        """What the model should answer for a row; empty where the row doesn't say."""

    def label_of(self, columns: Mapping[str, Any]) -> str | None:
        """The class of a row, for discriminative tasks."""
        return None

    def target(self, loaded: Any) -> str:
        return self.target_of(loaded.columns)

    def prompt(self, loaded: Any, rng: random.Random) -> str:
        """The instruction, followed by the text to work on where the example has no audio."""
        ask = self.instruction(rng, loaded.example.modality, loaded.example.language)
        return f"{ask}\n\n{loaded.document}" if loaded.document else ask

    @abstractmethod
    def parse(self, answer: str) -> str | None:
        """The answer without the chatter around it, or None where there is no valid answer in it."""

    def reading(self, answer: str, reference: str) -> str:
        """The normalized text that an answer is compared by: without chatter, unless the reference has the same words.

        Speech opens with «الخلاصة:» and "the answer is:" as models do. So of the answer as it stands and the
        answer without chatter, the one nearer to the reference counts.
        """
        wanted = normalize(reference, self.options.profile)
        readings = (normalize(text, self.options.profile) for text in (answer, strip_chatter(answer)))
        return min(readings, key=lambda text: edit_counts(wanted, text)[0])

    def is_invalid(self, answer: str, reference: str) -> bool:
        """Whether nothing is left of a free answer; one that repeats its reference to the letter always is valid."""
        return self.parse(answer) is None and answer.strip() != reference.strip()

    @abstractmethod
    def tally(self, answers: Sequence[str], references: Sequence[str]) -> np.ndarray:
        """One row of float64 counts per example; raw answers in, targets as references."""

    @abstractmethod
    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]:
        """Metrics from summed tallies: `totals` is (..., columns), every value is (...)."""

    def score(self, answers: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        totals = self.tally(answers, references).sum(axis=0)
        return {name: float(value) for name, value in self.metrics(totals).items()}


REGISTRY: dict[str, type[Task]] = {}
T = TypeVar("T", bound=type[Task])


def register(kind: T) -> T:
    REGISTRY[kind.name] = kind
    return kind


def scored_as(task: str, modality: str) -> str:
    """The name that answers are scored under: `dialect` heard, `dialect+text` read, `asr+foreign` in another language.

    To hear is another skill than to read, so one number for both says nothing. A task that is never heard keeps its name.
    """
    heard = REGISTRY[task].uses_audio if task in REGISTRY else True
    return f"{task}+{modality}" if heard and modality != "speech" else task


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and 0 where there is nothing to divide by."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    shares: np.ndarray = np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole != 0)
    return shares


# Politeness alone is left where it is: speech begins with «حسنا، …» and "OK, …" too. It goes with an announcement.
_POLITE = (
    r"(?:sure|certainly|of course|okay|ok|great)\b[^\n:]{0,40}[!.,]\s*",
    r"(?:بالتأكيد|بالطبع|حسنا|حسنًا|تفضل|أكيد)[^\n:]{0,30}[!،.]\s*",
)
_ANNOUNCED = (
    r"here(?:'s| is| are)\b[^\n:]{0,80}:\s*",
    r"(?:the )?(?:full )?(?:transcription|transcript|summary|answer|text)(?: of [^\n:]{0,60})?(?: is| reads)?\s*:\s*",
    r"(?:إليك|اليك|هذا هو|هذه هي)[^\n:]{0,60}:\s*",
    r"(?:النص|نص المقطع|نص الكلام|التفريغ|الملخص|الخلاصة|الإجابة|الاجابة|الجواب)(?: [^\n:]{0,40})?\s*:\s*",
)
_PREAMBLE = re.compile(rf"(?:{'|'.join(_POLITE)})?(?:{'|'.join(_ANNOUNCED)})", re.IGNORECASE)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
_QUOTES = {"“": "”", "«": "»", '"': '"', "'": "'", "‘": "’", "「": "」", "*": "*", "`": "`"}


def strip_chatter(answer: str) -> str:
    """Free text without code fences, without the announcement before it and the quotes around the whole of it."""
    text = answer.strip()
    if fenced := _FENCE.match(text):
        text = fenced[1].strip()
    before = None
    while before != text:
        before = text
        if (preamble := _PREAMBLE.match(text)) and preamble.end() < len(text):
            text = text[preamble.end() :].lstrip()
        # One pair around everything: two quoted halves ("a" and "b") keep their quotes.
        if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text.count(text[0]) == 1 + (text[0] == text[-1]):
            text = text[1:-1].strip()
    return text
