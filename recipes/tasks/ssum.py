"""Summarization: from speech (ssum) and from text (text_summ). One scoring, two inputs.

ROUGE is the mean F-measure of the examples and chrF the corpus score, both on normalized text: the usual
ROUGE package drops every Arabic letter, so ours is `aramega.text`'s. An empty answer is invalid and
counts as 0, it is never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aramega.text import chrf_counts, chrf_from_counts, normalize, rouge
from recipes.tasks.base import Modality, Task, ratio, register, strip_chatter
from recipes.tasks.languages import asked_for

SPEECH = (
    "Summarize this recording in {language}.",
    "Listen, then write a short {language} summary of what is said.",
    "What is this clip about? Answer in one to three {language} sentences.",
    "Give a brief summary, in {language}, of the speech.",
    "State the main points of the recording in {language}, in at most three sentences.",
)
SPEECH_ARABIC = (
    "لخّص هذا المقطع الصوتي.",
    "استمع ثم اكتب ملخصًا قصيرًا لما قيل.",
    "عمّ يتحدث هذا المقطع؟ أجب في جملة إلى ثلاث جمل.",
    "اكتب خلاصة موجزة للكلام المسموع.",
    "اذكر أهم ما جاء في التسجيل في ثلاث جمل على الأكثر.",
)
TEXT = (
    "Summarize the following text in {language}.",
    "Write a short {language} summary of this transcript.",
    "What is this text about? Answer in one to three {language} sentences.",
    "Give a brief summary, in {language}, of the text below.",
)
TEXT_ARABIC = (
    "لخّص النص التالي.",
    "اكتب ملخصًا قصيرًا لهذا النص.",
    "عمّ يتحدث هذا النص؟ أجب في جملة إلى ثلاث جمل.",
    "اكتب خلاصة موجزة للنص أدناه.",
)
ROUGES = ("rouge1", "rouge2", "rougeL")
NO_LETTERS = "-"
"""What a text without any letter, answered rightly, is counted as: one character."""


@register
class SpeechSummarization(Task):
    """A summary of what is said."""

    name = "ssum"
    kind = "generative"
    uses_audio = True
    columns: tuple[str, ...] = ("summary",)
    headline = "rougeL"

    def instructions(self, modality: Modality, language: str = "ar") -> Sequence[str]:
        return asked_for(language, *((TEXT, TEXT_ARABIC) if modality == "text" else (SPEECH, SPEECH_ARABIC)))

    def target_of(self, columns: Mapping[str, Any]) -> str:
        return str(columns.get("summary") or "").strip()

    def parse(self, answer: str) -> str | None:
        return strip_chatter(answer) or None

    def tally(self, answers: Sequence[str], references: Sequence[str]) -> np.ndarray:
        return np.array([self._row(a, r) for a, r in zip(answers, references, strict=True)], dtype=float)

    def _row(self, answer: str, reference: str) -> tuple[float, ...]:
        invalid = self.is_invalid(answer, reference)
        wanted, given = normalize(reference, self.options.profile), self.reading(answer, reference)
        if given == wanted and not invalid:
            # By the formulas one word has no pair of words, and a text of signs no letters: both would score 0.
            return (1.0, 1.0, 1.0, invalid, 1, *chrf_counts(wanted or NO_LETTERS, given or NO_LETTERS))
        rouges = rouge(wanted, given)
        return (*(rouges[name].f for name in ROUGES), invalid, 1, *chrf_counts(wanted, given))

    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]:
        n = totals[..., 4]
        return {
            **{name: ratio(totals[..., i], n) for i, name in enumerate(ROUGES)},
            "chrf": chrf_from_counts(totals[..., 5:]),
            "invalid": ratio(totals[..., 3], n),
        }
