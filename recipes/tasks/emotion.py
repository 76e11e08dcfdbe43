"""Emotion identification: how the speaker sounds, as one label or, with BAVED's inventory, as a level."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.tasks.base import Modality, register
from recipes.tasks.classification import Classification
from recipes.tasks.labels import Inventory

SPEECH = (
    "How does the speaker sound?",
    "Identify the emotion in the speaker's voice.",
    "Which emotion is heard in this recording?",
    "Listen to the tone of voice: what does the speaker express?",
)
SPEECH_ARABIC = (
    "كيف يبدو صوت المتحدث؟",
    "حدّد الانفعال في صوت المتحدث.",
    "ما الشعور المسموع في هذا التسجيل؟",
    "استمع إلى نبرة الصوت: عمّ تعبّر؟",
)
TEXT = ("Which emotion does this text express?", "Identify the emotion of the following text.")
TEXT_ARABIC = ("ما الشعور الذي يعبّر عنه النص التالي؟", "حدّد الانفعال في هذا النص.")


@register
class EmotionIdentification(Classification):
    """How the speaker sounds."""

    name = "emotion"
    columns = ("emotion",)

    @property
    def inventory(self) -> Inventory:
        return self.options.emotions

    def questions(self, modality: Modality) -> tuple[Sequence[str], Sequence[str]]:
        return (TEXT, TEXT_ARABIC) if modality == "text" else (SPEECH, SPEECH_ARABIC)
