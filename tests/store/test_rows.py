"""Rows: a record's numbers, truths and texts are columns, whatever their types are called; what is nested is JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aramega.store import rows

Mood = Literal["calm", "loud"]


@dataclass(frozen=True)
class Heard:
    passage: str
    mood: Mood
    guess: Mood | None
    count: int | None
    names: tuple[str, ...]


def test_a_new_list_of_texts_is_a_column_and_no_json() -> None:
    assert rows._nested(Heard) == {"names"}
    assert rows._from_column(Heard, "mood", "calm") == "calm"
    assert rows._from_column(Heard, "names", '["a"]') == ["a"]
