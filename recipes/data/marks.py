"""Marks: what annotators write where a word could not be made out, and what training makes of it.

The guidelines know three: `[؟]` for words nobody understood, `(الطابق؟)` for a word someone believes to have heard, and
a hyphen where a word breaks off (`المست-`). A model that is taught them answers with brackets. So, unless told otherwise,
the guess is taken at its word and the hyphen goes; and a row with `[؟]` is no target of recognition, since something
is said there that the target would not hold. Such a row still serves every other task, without the mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Marks = Literal["clean", "leave_out", "keep"]
COLUMNS = ("transcription", "summary")
MARKED = "marks"
"""The column that says which marks a row's transcript held, once they are gone."""

_GAP = re.compile(r"\[\s*[؟?]\s*\]")
_GUESS = re.compile(r"\(\s*([^()\[\]؟?]+?)\s*[؟?]\s*\)")
_LETTER = "[\u0621-\u064a]"
_BROKEN = re.compile(rf"(?<={_LETTER})-(?=[\s،.؟!]|$)|(?:(?<=\s)|^)-(?={_LETTER})")


def find_marks(text: str) -> tuple[str, ...]:
    """Which marks stand in a text: gap, guess, broken."""
    kinds = (("gap", _GAP), ("guess", _GUESS), ("broken", _BROKEN))
    return tuple(name for name, pattern in kinds if pattern.search(text))


def without_marks(text: str) -> str:
    """The text as a reader of plain Arabic would have it: `[؟]` goes, a guess is its word, a hyphen goes."""
    if not find_marks(text):
        return text
    plain = _BROKEN.sub("", _GUESS.sub(r"\1", _GAP.sub(" ", text)))
    return re.sub(r"\s+([،.؟!])", r"\1", " ".join(plain.split()))


def read_marks(columns: Mapping[str, Any], marks: Marks) -> dict[str, Any]:
    """The columns that change: texts without marks, and which marks the transcript held."""
    if marks == "keep":
        return {}
    texts = {name: columns[name] for name in COLUMNS if isinstance(columns.get(name), str)}
    return {
        **{name: without_marks(text) for name, text in texts.items()},
        MARKED: find_marks(texts.get("transcription", "")),
    }


def spoils_recognition(columns: Mapping[str, Any], marks: Marks) -> bool:
    """Whether a row's marks keep it from being a target of recognition."""
    marked = columns.get(MARKED) or ()
    return bool(marked) if marks == "leave_out" else "gap" in marked
