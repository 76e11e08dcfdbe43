"""Languages that an answer may be asked for in, by ISO 639-1 code.

Arabic answers are asked for in Arabic and in English, all others in English by the language's name: a prompt that says
"in Arabic" over an English target teaches the model not to listen to prompts.
"""

from __future__ import annotations

from collections.abc import Sequence

ARABIC = "ar"
NAMES = {
    "ar": "Arabic", "am": "Amharic", "bn": "Bengali", "de": "German", "en": "English", "es": "Spanish", "fa": "Persian",
    "fr": "French", "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "ku": "Kurdish", "ms": "Malay", "nl": "Dutch", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese",
    "ru": "Russian", "so": "Somali", "sw": "Swahili", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def base_language(code: str) -> str:
    """The language of a code with or without a region: ar of ar-EG and ar_EG."""
    return code.replace("_", "-").split("-")[0].lower()


def asked_for(language: str, english: Sequence[str], arabic: Sequence[str]) -> tuple[str, ...]:
    """The instructions for an answer in `language`; those in English may name it as {language}."""
    named = tuple(text.format(language=NAMES.get(language, language)) for text in english)
    return (*named, *arabic) if language == ARABIC else named
