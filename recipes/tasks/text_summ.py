"""Text summarization: the transcript in, its summary out. Asked and scored as `ssum` is, without audio."""

from __future__ import annotations

from recipes.tasks.base import register
from recipes.tasks.ssum import SpeechSummarization


@register
class TextSummarization(SpeechSummarization):
    name = "text_summ"
    uses_audio = False
    columns = ("transcription", "summary")
