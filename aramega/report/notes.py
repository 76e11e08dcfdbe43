"""Notes: what is no failure and a curator should know all the same, each once, however many items it is true of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aramega.store import Store

SHOWN_NOTES = 50


@dataclass(frozen=True)
class Note:
    """A sentence, and the recordings it is about: how many, and the first of their names."""

    text: str
    count: int
    names: tuple[str, ...]


def gather_notes(store: Store) -> tuple[Note, ...]:
    """All notes of a workspace."""
    return tuple(_passed_over(store))


def _passed_over(store: Store) -> Iterator[Note]:
    """Files of a recording's name that hold no transcript."""
    rows = store.connection.execute(
        """SELECT t.note, r.name FROM transcripts t JOIN passages p ON p.id = t.passage
           JOIN recordings r ON r.id = p.recording WHERE t.note <> '' GROUP BY t.note, r.id ORDER BY t.note LIMIT ?""",
        (SHOWN_NOTES,),
    )
    for row in rows:
        yield Note(f"{row['note']}. Drafts were made without it.", 1, (row["name"],))
