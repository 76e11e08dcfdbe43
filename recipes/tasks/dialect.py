"""Dialect identification: which Arabic is spoken, by region or by country as the inventory has it."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.tasks.base import Modality, register
from recipes.tasks.classification import Classification
from recipes.tasks.labels import Inventory

SPEECH = (
    "Which Arabic dialect is spoken?",
    "Identify the speaker's dialect.",
    "Listen to the accent: which variety of Arabic is this?",
    "Name the dialect of this recording.",
)
SPEECH_ARABIC = (
    "ما اللهجة العربية المسموعة؟",
    "حدّد لهجة المتحدث.",
    "بأي لهجة يتكلم هذا المتحدث؟",
    "ما لهجة هذا التسجيل؟",
)
TEXT = ("Which Arabic dialect is this text in?", "Identify the dialect of the following text.")
TEXT_ARABIC = ("ما لهجة النص التالي؟", "بأي لهجة عربية كُتب هذا النص؟")


@register
class DialectIdentification(Classification):
    """Which dialect is spoken."""

    name = "dialect"
    columns = ("dialect",)

    @property
    def inventory(self) -> Inventory:
        return self.options.dialects

    def questions(self, modality: Modality) -> tuple[Sequence[str], Sequence[str]]:
        return (TEXT, TEXT_ARABIC) if modality == "text" else (SPEECH, SPEECH_ARABIC)
