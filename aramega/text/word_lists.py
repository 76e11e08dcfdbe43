"""Word lists: words written in a row, and the spelling by which a word is looked up in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from aramega.text.normalization import normalize

_REMEMBERED = 1 << 14
"""Words: those of some passages under way."""


@lru_cache(_REMEMBERED)
def spelling(word: str) -> str:
    """A word as the `asr` profile compares it, in small letters."""
    return normalize(word, "asr").lower()


@lru_cache(_REMEMBERED)
def loose_spelling(word: str) -> str:
    """As `spelling`; ة is ه and ى is ي, which many people do not tell apart at a word's end."""
    return spelling(word).replace("ة", "ه").replace("ى", "ي")


@cache
def word_list(text: str, spell: Callable[[str], str] = spelling) -> frozenset[str]:
    """The words of a text by their spelling."""
    return frozenset(map(spell, text.split()))
