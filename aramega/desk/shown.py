"""Shown: an entry as the page is sent it, as plain values for JSON.

A row is what the list and a first look need. The whole adds the comparison of every voice with the draft,
which costs some milliseconds a passage and so is made for the one that is opened.
"""

from __future__ import annotations

from typing import Any

from aramega.desk.entries import LABELS, TEXTS, Entry
from aramega.publish.as_json import values_of
from aramega.settle.word_diff import Piece, compare_words, differs

SIGNS = {"same": "=", "cut": "-", "added": "+", "respelled": "~"}


def row_of(entry: Entry) -> dict[str, Any]:
    """What is said in the end, and the facts beside it."""
    values: dict[str, Any] = values_of(entry)
    final = values.pop("final")
    left_out = ("draft", "reviews", "sound")
    return {
        **{name: value for name, value in values.items() if name not in left_out},
        **{name: final[name] for name in (*TEXTS, *LABELS)},
        "note": final["note"],
        "verification": entry.verification,
        "sounds": bool(entry.sound),
    }


def whole_of(entry: Entry) -> dict[str, Any]:
    """The row, with each text as the draft has it and how every voice changed it."""
    return {
        **row_of(entry),
        "drafted": entry.draft is not None,
        "draft_note": entry.draft.note if entry.draft else "",
        "texts": {name: _compared_with_draft(entry, name) for name in TEXTS},
        "labels": {name: _labelled(entry, name) for name in LABELS},
        "reviews": [{"who": review.who, "note": review.note} for review in entry.reviews],
    }


def _compared_with_draft(entry: Entry, name: str) -> list[dict[str, Any]]:
    """Every voice that speaks of this text, the answer last: it speaks of what it left empty, too."""
    old = getattr(entry.draft, name) if entry.draft else None
    texts = [(review.who, getattr(review, name)) for review in entry.reviews if getattr(review, name) is not None]
    final = getattr(entry.final, name)
    if final is not None or old:
        texts.append((entry.final.who, final or ""))
    return [{"who": who, **_compared(old, new)} for who, new in texts]


def _compared(old: str | None, new: str) -> dict[str, Any]:
    pieces = [Piece("same", new, new)] if old is None else compare_words(old, new)
    return {
        "changed": differs(pieces),
        "respelled": any(piece.kind == "respelled" for piece in pieces),
        "pieces": [_signed(piece) for piece in pieces],
    }


def _signed(piece: Piece) -> list[str]:
    sign = SIGNS[piece.kind]
    if piece.kind == "respelled":
        return [sign, piece.old, piece.new]
    return [sign, piece.new or piece.old]


def _labelled(entry: Entry, name: str) -> list[dict[str, str]]:
    """Who chose which label, the draft first and the answer last."""
    voices = [*([entry.draft] if entry.draft else []), *entry.reviews, entry.final]
    return [{"who": voice.who, "said": getattr(voice, name)} for voice in voices if getattr(voice, name)]
