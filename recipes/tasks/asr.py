"""ASR: write down what is said.

Scored as corpus WER and CER under the named normalization profile. Code-switched words are expected in
their own script, and the instructions say so: a model that transliterates "Facebook" is wrong. So where references
hold Latin words, WER is given for each script too: an error belongs to the reference word that was lost or replaced,
or to the word that was put in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aramega.text import SCRIPTS, edit_counts, edit_counts_by_script, normalize
from recipes.tasks.base import Modality, Task, ratio, register, strip_chatter
from recipes.tasks.languages import asked_for

ENGLISH = (
    "Transcribe the speech.",
    "Write down exactly what is said in this recording.",
    "What does the speaker say? Answer with the transcript only.",
    "Transcribe this {language} audio word for word, keeping foreign words in their own script.",
    "Listen to the clip and give its verbatim transcript.",
)
ARABIC = (
    "اكتب نص الكلام المسموع.",
    "فرّغ هذا المقطع الصوتي كتابةً.",
    "ماذا يقول المتحدث؟ أجب بالنص فقط.",
    "حوّل الكلام إلى نص حرفيًا، واكتب الكلمات الأجنبية بحروفها.",
    "استمع إلى المقطع واكتب ما قيل فيه كلمةً كلمة.",
)


@register
class Recognition(Task):
    """Automatic speech recognition."""

    name = "asr"
    kind = "generative"
    uses_audio = True
    columns = ("transcription",)
    headline = "wer"
    lower_is_better = True

    def instructions(self, modality: Modality, language: str = "ar") -> Sequence[str]:
        return asked_for(language, ENGLISH, ARABIC)

    def target_of(self, columns: Mapping[str, Any]) -> str:
        return str(columns.get("transcription") or "").strip()

    def parse(self, answer: str) -> str | None:
        return strip_chatter(answer) or None

    def tally(self, answers: Sequence[str], references: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(answers), 10))
        for row, answer, reference in zip(rows, answers, references, strict=True):
            spoken, heard = normalize(reference, self.options.profile), self.reading(answer, reference)
            invalid = self.is_invalid(answer, reference)
            scripts = edit_counts_by_script(spoken.split(), heard.split())
            row[:] = (
                *(*edit_counts(spoken.split(), heard.split()), *edit_counts(spoken, heard), invalid, 1),
                *(number for script in SCRIPTS for number in scripts[script]),
            )
        return rows

    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]:
        word_errors, words, char_errors, chars, invalid, n, *by_script = np.moveaxis(totals, -1, 0)
        pairs = dict(zip(SCRIPTS, zip(by_script[::2], by_script[1::2], strict=True), strict=True))
        mixed = all(spoken.any() for _, spoken in pairs.values())
        return {
            "wer": ratio(word_errors, words),
            "cer": ratio(char_errors, chars),
            **{f"wer_{script}": ratio(*pair) for script, pair in pairs.items() if mixed},
            "invalid": ratio(invalid, n),
        }
