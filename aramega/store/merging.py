"""Merging one workspace's database into another's: what it brings, recording by recording, each in one transaction.

This room only reads and writes rows. The caller carries a recording's clips before it has its rows taken, and holds the
locks.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from typing_extensions import Self

from aramega.stages.names import INGEST, PASSAGES
from aramega.store.clips import id_range, recording_of
from aramega.store.connection import connect_to_both, transaction
from aramega.store.database import Store
from aramega.store.merge_choices import Choice, choose_cut
from aramega.store.merge_rows import Conflict, take_recording
from aramega.store.pair import Pair, Rows
from aramega.store.rows import DRAFTS, PEOPLE
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True)
class Counts:
    """How many of each a workspace holds."""

    recordings: int
    passages: int
    reviews: int


class Merging:
    """What a merge asks of the two databases and does to the target's."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.conflicts: list[Conflict] = []

    @classmethod
    @contextmanager
    def open(cls, source: WorkspaceFolder, target: WorkspaceFolder) -> Iterator[Self]:
        """Both databases, with today's tables."""
        Store.open(source).close()
        Store.create_or_open(target).close()
        with closing(connect_to_both(target.database, source.database)) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            yield cls(Pair(connection))

    def count(self) -> Counts:
        """What the target holds by now."""
        tables = ("recordings", "passages", "reviews")
        return Counts(*(self._pair.ask(f"SELECT count(*) FROM main.{table}").fetchone()[0] for table in tables))

    def list_recordings(self) -> list[str]:
        """The source's recordings, and those that are no more but of which drafts or people's work is left."""
        recordings = {row[0] for row in self._pair.ask("SELECT id FROM other.recordings")}
        union = " UNION ".join(f"SELECT passage FROM other.{table}" for table in (*DRAFTS, *PEOPLE))
        stray = f"SELECT passage FROM ({union}) WHERE passage NOT IN (SELECT id FROM other.passages)"
        return sorted(recordings | {recording_of(row[0]) for row in self._pair.ask(stray)})

    def brings_news(self, recording: str) -> bool:
        """Whether the source holds any row of the recording that the target does not."""
        rows = [*self._pair.rows_of(recording), Rows("sources", "recording = ?", (recording,))]
        return any(self._pair.are_beyond("other", some) for some in rows)

    def choose_cut(self, recording: str) -> Choice:
        """Whose passages of the recording to take."""
        return choose_cut(self._pair, recording)

    def retract_cut(self, recording: str) -> None:
        """Our passages of the recording do not count as done any more, until its rows are taken. Clips of one name may
        differ: killed in between, our row must not stand over their clip."""
        self._pair.ask(f"DELETE FROM main.results WHERE stage = '{PASSAGES}' AND item = ?", (recording,))

    def clips_of_passages(self, recording: str) -> list[str]:
        """The clips that the source's passages of the recording name."""
        rows = self._pair.ask("SELECT clip FROM other.passages WHERE recording = ?", (recording,))
        return [row[0] for row in rows]

    def passages_in_hands(self, recording: str, cut: Choice) -> list[str]:
        """The passages that people worked on in the source and that the chosen cut does not have."""
        chosen = "other" if cut.side == "theirs" else "main"
        union = " UNION ".join(
            f"SELECT passage FROM other.{table} WHERE passage >= ? AND passage < ?" for table in PEOPLE
        )
        query = f"SELECT passage FROM ({union}) WHERE passage NOT IN (SELECT id FROM {chosen}.passages)"
        return [row[0] for row in self._pair.ask(query, id_range(recording) * len(PEOPLE))]

    def take_recording(self, recording: str, cut: Choice) -> None:
        """Bring in the rows of a recording, all or none."""
        with transaction(self._pair.connection):
            self.conflicts += take_recording(self._pair, recording, cut)

    def take_the_rest(self, wanted: Callable[[str], bool]) -> None:
        """What is of no recording: files not read yet, names that were wrong, the judge's book, up to when each
        project was pulled, of which the earlier holds since pulling again adds nothing twice, and of two calibrations
        the one that was learned from more reviews."""
        self._pair.connection.create_function("wanted", 1, lambda item: bool(wanted(item)))
        with transaction(self._pair.connection):
            for statement in _THE_REST:
                self._pair.ask(statement)


_THE_REST = (
    f"""INSERT OR IGNORE INTO main.failures
        SELECT * FROM other.failures WHERE stage = '{INGEST}' AND wanted(item)
            AND item NOT IN (SELECT path FROM other.sources WHERE recording IS NOT NULL)
            AND item NOT IN (SELECT path FROM main.sources)""",
    """INSERT INTO main.sources
       SELECT * FROM other.sources
       WHERE recording IS NULL AND path NOT IN (SELECT path FROM main.sources) AND wanted(path)""",
    """INSERT OR REPLACE INTO main.results
       SELECT o.* FROM other.results o LEFT JOIN main.results m ON (m.stage, m.item) = (o.stage, o.item)
       WHERE o.stage = 'judge' AND o.item = 'workspace' AND (m.item IS NULL OR o.finished_at > m.finished_at)""",
    """INSERT OR REPLACE INTO main.projects
       SELECT o.place, o.project, o.title, min(o.since, coalesce(m.since, o.since))
       FROM other.projects o LEFT JOIN main.projects m ON (m.place, m.project) = (o.place, o.project)""",
    """INSERT OR REPLACE INTO main.calibration
       SELECT o.* FROM other.calibration o LEFT JOIN main.calibration m ON m.number = o.number
       WHERE m.number IS NULL
          OR (json_extract(o.json, '$.reviews'), o.json) > (json_extract(m.json, '$.reviews'), m.json)""",
)
