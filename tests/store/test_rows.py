"""Rows: a record's numbers, truths and texts are columns, whatever their types are called; what is nested is JSON."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Literal

from hypothesis import given

from aramega.records import Transcript
from aramega.store import rows
from tests.support.strategies import transcripts

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
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute(
            """SELECT 'p' AS passage, 'calm' AS mood, NULL AS guess, 2 AS count, '["a"]' AS names"""
        )
        assert rows.revive(Heard, row.fetchone()) == Heard("p", "calm", None, 2, ("a",))


@given(transcripts)
def test_a_record_is_written_as_the_json_of_its_values(transcript: Transcript) -> None:
    """To the byte: a workspace's rows are compared with those of another build of it."""
    written = rows._insertion(Transcript)[1](transcript)
    lines = json.dumps(asdict(transcript)["lines"], ensure_ascii=False, separators=(",", ":"))
    assert written == [transcript.passage, lines, transcript.model, "", "", None, ""]
