"""Loops: how much a text repeats itself, which is what a recognizer that is stuck does."""

from __future__ import annotations

import zlib


def compression_ratio(text: str) -> float:
    """How much shorter zlib makes the text: a loop shrinks a lot.

    Counted over letters, not over UTF-8: there every Arabic letter brings a byte that says only "Arabic", so that of
    what was really read in thirty seconds (80 words) half shrinks by more than 2.4, and by letters nothing but prayers
    that repeat themselves.
    """
    codes = {letter: code for code, letter in enumerate(dict.fromkeys(text))}
    letters = bytes(min(code, 255) for code in map(codes.__getitem__, text))
    return len(letters) / len(zlib.compress(letters)) if letters else 0.0
