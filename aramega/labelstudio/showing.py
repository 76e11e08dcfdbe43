"""A passage as annotators are shown it.

Everything `load_drafted` gives but the music in it and the paths of its recording: reading a long recording's
timeline for each of its passages would take longer than all the rest of a push.
"""

from __future__ import annotations

from aramega.errors import AramegaError
from aramega.labelstudio.clips import checked_id
from aramega.records import DraftedPassage, Passage, Recording, Segment
from aramega.store import Store
from aramega.store.drafts import load_draft
from aramega.store.recordings import load_recording
from aramega.store.rows import revive

_RECORDINGS = 256
"""Recordings kept at hand: passages come by priority, not recording by recording."""


class Showing:
    """Loads passages for showing, one after the other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recordings: dict[str, Recording] = {}

    def load(self, passage: str) -> DraftedPassage:
        """The passage, if its id is one and it is here."""
        shown = find_passage(self._store, checked_id(passage))
        if shown is None:
            raise AramegaError(f"{passage}: no such passage in this workspace.")
        marks = ", ".join("?" * len(shown.segments))
        query = f"SELECT * FROM segments WHERE id IN ({marks}) ORDER BY start"  # noqa: S608
        rows = self._store.connection.execute(query, shown.segments)
        return DraftedPassage(
            recording=self._recording(shown.recording),
            passage=shown,
            segments=tuple(revive(Segment, row) for row in rows),
            draft=load_draft(self._store, passage),
        )

    def _recording(self, recording: str) -> Recording:
        if recording not in self._recordings:
            if len(self._recordings) >= _RECORDINGS:
                self._recordings.pop(next(iter(self._recordings)))
            self._recordings[recording] = load_recording(self._store, recording)
        return self._recordings[recording]


def find_passage(store: Store, passage: str) -> Passage | None:
    row = store.connection.execute("SELECT * FROM passages WHERE id = ?", (passage,)).fetchone()
    return revive(Passage, row) if row else None
