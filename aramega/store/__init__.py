"""The workspace's database: what is done, what is left, what failed.

Resume lives here and nowhere else. A stage's result for an item is one row of `results`, written in the
same transaction as the records it made; the row names the fingerprint it was made under, so "what is
left" is simply every item without a current row. Only the driver writes. SQLite in WAL mode lets
`status` and `report` read while a build writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from typing_extensions import Self

from aramega.records import (
    AramegaError,
    Check,
    DraftedPassage,
    Failure,
    Labels,
    Metadata,
    Overview,
    Passage,
    Recording,
    Segment,
    SegmentedRecording,
    Source,
    Span,
    Summary,
    Timeline,
    Transcript,
    Verdict,
    from_dict,
    timestamp,
)
from aramega.stages.base import Takes
from aramega.store.connection import connect, connect_for_reading, use_wal
from aramega.store.drafts import load_drafted, load_summarized
from aramega.store.pending import Mark, current_marks, pending_query
from aramega.store.rows import replace_rows, revive
from aramega.store.schema import migrate
from aramega.workspace import WorkspaceFolder

__all__ = ["PAGE", "Broken", "Finished", "Mark", "Store", "current_marks"]

PAGE = 1000
"""Pending items are listed this many at a time, so that a million of them cost no memory."""


@dataclass(frozen=True)
class Finished:
    """One item's result, ready to be written."""

    mark: Mark
    item: str
    makes: tuple[type, ...]
    records: Sequence[Any]
    took: float


@dataclass(frozen=True)
class Broken:
    """One item's failure, ready to be written."""

    mark: Mark
    item: str
    error: str
    trace: str = ""


class Store:
    """One connection to one workspace's database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        connection.row_factory = sqlite3.Row
        self.music: dict[tuple[object, ...], Sequence[Span]] = {}
        """Of the recordings whose passages were loaded last: see `load_drafted`."""

    @classmethod
    def create_or_open(cls, workspace: WorkspaceFolder) -> Self:
        """For the driver of a build: the one that may write and bring old tables up to date."""
        workspace.root.mkdir(parents=True, exist_ok=True)
        connection = connect(workspace.database)
        use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        migrate(connection)
        return cls(connection)

    @classmethod
    def open(cls, workspace: WorkspaceFolder) -> Self:
        """For everyone else; a folder that is no workspace is said to be none."""
        if not workspace.database.exists():
            raise AramegaError(
                f"{workspace.root}: not a workspace (it has no aramega.db). `aramega build-ssum` makes one."
            )
        connection = connect_for_reading(workspace.database)
        migrate(connection)
        return cls(connection)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads inside see one moment of the workspace, whatever a build writes meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    # What comes in: sources

    def add_sources(self, sources: Iterable[tuple[Source, int | None, int | None]]) -> None:
        """Note what the curator named, with size and time of change; a file that changed is to be ingested again."""
        with self.transaction():
            for source, size, mtime_ns in sources:
                self._add_source(source, size, mtime_ns)

    def _add_source(self, source: Source, size: int | None, mtime_ns: int | None) -> None:
        metadata = json.dumps({k: v for k, v in asdict(source.metadata).items() if v}, ensure_ascii=False)
        row = self.connection.execute("SELECT size, mtime_ns FROM sources WHERE path = ?", (source.path,)).fetchone()
        if row is None:
            new = (source.path, size, mtime_ns, metadata)
            self.connection.execute("INSERT INTO sources (path, size, mtime_ns, metadata) VALUES (?, ?, ?, ?)", new)
            return
        if metadata != "{}":
            self.connection.execute("UPDATE sources SET metadata = ? WHERE path = ?", (metadata, source.path))
        if (row["size"], row["mtime_ns"]) != (size, mtime_ns) and size is not None:
            moved = (size, mtime_ns, source.path)
            self.connection.execute("UPDATE sources SET size = ?, mtime_ns = ? WHERE path = ?", moved)
            for table in ("results", "failures"):
                self.connection.execute(f"DELETE FROM {table} WHERE stage = 'ingest' AND item = ?", (source.path,))  # noqa: S608

    # What is left to do

    def pending(self, mark: Mark, reads: Sequence[Mark]) -> Iterator[str]:
        """The items the stage has neither done nor failed under this fingerprint, with all it reads in place."""
        after = ""
        while page := self._pending_page(mark, reads, after):
            yield from page
            after = page[-1]

    def is_pending(self, mark: Mark, reads: Sequence[Mark], item: str) -> bool:
        query, values = pending_query(mark, reads)
        return self.connection.execute(f"{query} AND id = ?", [*values, item]).fetchone() is not None

    def count_pending(self, mark: Mark, reads: Sequence[Mark]) -> int:
        query, values = pending_query(mark, reads)
        return int(self.connection.execute(f"SELECT count(*) FROM ({query})", values).fetchone()[0])  # noqa: S608

    def _pending_page(self, mark: Mark, reads: Sequence[Mark], after: str) -> list[str]:
        query, values = pending_query(mark, reads)
        rows = self.connection.execute(f"{query} AND id > ? ORDER BY id LIMIT {PAGE}", [*values, after])
        return [row[0] for row in rows]

    def items_from(self, item: str, made_by: Takes, takes: Takes) -> list[str]:
        """The items of kind `takes` that a result for `item` may have made ready."""
        if made_by is takes:
            return [item]
        recording = self._recording_of(item, made_by)
        if not recording:
            return []
        return [recording] if takes is Takes.RECORDING else self._passage_ids(recording)

    def load(self, takes: Takes, item: str) -> Source | SegmentedRecording | DraftedPassage:
        """All that a stage may read of an item."""
        if takes is Takes.SOURCE:
            row = self.connection.execute("SELECT path, metadata FROM sources WHERE path = ?", (item,)).fetchone()
            return Source(row["path"], from_dict(Metadata, json.loads(row["metadata"])))
        return load_summarized(self, item) if takes is Takes.RECORDING else load_drafted(self, item)

    def _recording_of(self, item: str, takes: Takes) -> str | None:
        query = {
            Takes.SOURCE: "SELECT recording FROM sources WHERE path = ?",
            Takes.RECORDING: "SELECT ?",
            Takes.PASSAGE: "SELECT recording FROM passages WHERE id = ?",
        }[takes]
        row = self.connection.execute(query, (item,)).fetchone()
        return row[0] if row else None

    def _passage_ids(self, recording: str) -> list[str]:
        query = "SELECT id FROM passages WHERE recording = ? ORDER BY start"
        return [row[0] for row in self.connection.execute(query, (recording,))]

    # What was done

    def write(self, outcomes: Sequence[Finished | Broken]) -> None:
        """Write a batch of outcomes, all or none of it."""
        with self.transaction():
            for outcome in outcomes:
                if isinstance(outcome, Finished):
                    self._write_result(outcome)
                else:
                    self._write_failure(outcome)

    def _write_result(self, done: Finished) -> None:
        for kind in done.makes:
            records: list[Any] = [r for r in done.records if isinstance(r, kind)]
            replace_rows(self.connection, kind, done.item, records)
            if kind is Recording:
                self._name_recording(done.item, records[0].id)
        counted: list[Any] = [r for r in done.records if isinstance(r, done.makes[-1])]
        seconds = sum(getattr(r, "seconds", 0.0) for r in counted) or self.passage_seconds(done.item)
        row = (done.mark.stage, done.item, done.mark.fingerprint, len(counted), seconds, done.took, timestamp())
        self.connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self.connection.execute("DELETE FROM failures WHERE stage = ? AND item = ?", (done.mark.stage, done.item))

    def passage_seconds(self, item: str) -> float:
        """How long the passage is that a draft is of; 0 for what is no passage."""
        row = self.connection.execute('SELECT "end" - start FROM passages WHERE id = ?', (item,)).fetchone()
        return float(row[0]) if row else 0.0

    def _name_recording(self, path: str, recording: str) -> None:
        """Tie a source to its recording, which has the first of its files' names whichever came last; what an earlier
        version of the file held goes, if no other file holds it."""
        row = self.connection.execute("SELECT recording FROM sources WHERE path = ?", (path,)).fetchone()
        self.connection.execute("UPDATE sources SET recording = ? WHERE path = ?", (recording, path))
        first = Path(self.paths(recording)[0]).name
        self.connection.execute("UPDATE recordings SET name = ? WHERE id = ?", (first, recording))
        before = row["recording"]
        if before and before != recording and not self.paths(before):
            for passage in self._passage_ids(before):
                self._forget(passage, (Transcript, Summary, Labels, Check, Verdict))
            self._forget(before, (Recording, Timeline, Segment, Passage, Overview))

    def _forget(self, item: str, kinds: Sequence[type]) -> None:
        """Drop what was made of an item that is no more."""
        for kind in kinds:
            replace_rows(self.connection, kind, item, ())
        self.connection.execute("DELETE FROM results WHERE item = ?", (item,))
        self.connection.execute("DELETE FROM failures WHERE item = ?", (item,))

    def _write_failure(self, broken: Broken) -> None:
        row = (broken.mark.stage, broken.item, broken.mark.fingerprint, broken.error, broken.trace, timestamp())
        self.connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?)", row)

    def is_stale(self, mark: Mark, item: str) -> bool:
        """Whether there is no result for the item under this fingerprint."""
        query = "SELECT 1 FROM results WHERE stage = ? AND item = ? AND fingerprint = ?"
        return self.connection.execute(query, (mark.stage, item, mark.fingerprint)).fetchone() is None

    def note_result(self, mark: Mark, item: str, *, made: int) -> None:
        """Note what was done outside any stage, inside the caller's transaction."""
        row = (mark.stage, item, mark.fingerprint, made, 0.0, 0.0, timestamp())
        self.connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def forget_failures(self) -> int:
        """Let every failed item be tried again."""
        with self.transaction():
            return self.connection.execute("DELETE FROM failures").rowcount

    def forget_misnamed(self, named: Sequence[str], gone: Callable[[str], bool]) -> None:
        """Drop what was wrong with the names and manifests named again, and files that went before they were read."""
        stray = "SELECT item FROM failures WHERE stage = 'ingest' AND item NOT IN (SELECT path FROM sources)"
        unread = "SELECT path FROM sources WHERE recording IS NULL"
        with self.transaction():
            for (item,) in self.connection.execute(stray).fetchall():
                if any(item == name or item.startswith((f"{name}:", f"{name}/")) for name in named):
                    self.connection.execute("DELETE FROM failures WHERE stage = 'ingest' AND item = ?", (item,))
            for (path,) in self.connection.execute(unread).fetchall():
                if gone(path):
                    self.connection.execute("DELETE FROM sources WHERE path = ?", (path,))
                    self.connection.execute("DELETE FROM failures WHERE stage = 'ingest' AND item = ?", (path,))

    def retract(self, mark: Mark, item: str) -> None:
        """Take back an item's result under other options, before files of its name are written anew: a build killed
        between the files and the commit would leave the old result standing over the new files."""
        other = "stage = ? AND item = ? AND fingerprint <> ?"
        values = (mark.stage, item, mark.fingerprint)
        if self.connection.execute(f"SELECT 1 FROM results WHERE {other}", values).fetchone():  # noqa: S608
            self.connection.execute(f"DELETE FROM results WHERE {other}", values)  # noqa: S608

    def has_failed(self, mark: Mark, item: str) -> bool:
        query = "SELECT 1 FROM failures WHERE stage = ? AND item = ? AND fingerprint = ?"
        return self.connection.execute(query, (mark.stage, item, mark.fingerprint)).fetchone() is not None

    def bytes_to_ingest(self, limit: int | None) -> dict[str, int]:
        """The size of each file that is to be opened: what a progress bar counts down."""
        query = """SELECT path, size FROM sources WHERE recording IS NULL AND path NOT IN
                   (SELECT item FROM failures WHERE stage = 'ingest') ORDER BY path LIMIT ?"""
        rows = self.connection.execute(query, (-1 if limit is None else limit,))
        return {row["path"]: row["size"] or 0 for row in rows}

    def name_of(self, takes: Takes, item: str) -> str:
        """What a curator calls an item: the file's name."""
        if takes is Takes.SOURCE:
            return Path(item).name if "/" in item else item
        recording = self._recording_of(item, takes)
        return self.recording(recording).name if recording else item

    def count_recordings(self) -> tuple[int, float]:
        """How many there are, and their seconds."""
        row = self.connection.execute("SELECT count(*), coalesce(sum(seconds), 0) FROM recordings").fetchone()
        return row[0], row[1]

    # What is there

    def sources(self) -> Iterator[Source]:
        for row in self.connection.execute("SELECT path, metadata FROM sources ORDER BY path"):
            yield Source(row["path"], from_dict(Metadata, json.loads(row["metadata"])))

    def recordings(self) -> Iterator[Recording]:
        query, after = f"SELECT * FROM recordings WHERE id > ? ORDER BY id LIMIT {PAGE}", ""  # noqa: S608
        while page := self.connection.execute(query, (after,)).fetchall():
            for row in page:
                yield self._recording(row)
            after = page[-1]["id"]

    def recording(self, recording: str) -> Recording:
        return self._recording(
            self.connection.execute("SELECT * FROM recordings WHERE id = ?", (recording,)).fetchone()
        )

    def segmented(self, recording: str) -> SegmentedRecording:
        timeline = self.connection.execute("SELECT * FROM timelines WHERE recording = ?", (recording,)).fetchone()
        segments = self.connection.execute("SELECT * FROM segments WHERE recording = ? ORDER BY start", (recording,))
        return SegmentedRecording(
            recording=self.recording(recording),
            paths=tuple(self.paths(recording)),
            timeline=revive(Timeline, timeline) if timeline else None,
            segments=tuple(revive(Segment, s) for s in segments),
        )

    def passages(self, recording: str) -> list[Passage]:
        rows = self.connection.execute("SELECT * FROM passages WHERE recording = ? ORDER BY start", (recording,))
        return [revive(Passage, row) for row in rows]

    def failures(self, marks: Iterable[Mark]) -> list[Failure]:
        """What failed under the current fingerprints, in the order of the stages."""
        query = "SELECT * FROM failures WHERE stage = ? AND fingerprint = ? ORDER BY item"
        rows = [r for m in marks for r in self.connection.execute(query, (m.stage, m.fingerprint))]
        names = {r["item"]: self._name_of_failed(r["item"]) for r in rows}
        return [Failure(r["stage"], r["item"], r["error"], r["failed_at"], names[r["item"]]) for r in rows]

    def tally(self, mark: Mark) -> Mapping[str, float]:
        """How many items the stage has done, what they made, their seconds, and how long it took."""
        query = """SELECT count(*) AS done, coalesce(sum(made), 0) AS made, coalesce(sum(seconds), 0) AS seconds,
                   coalesce(sum(took), 0) AS took FROM results WHERE stage = ? AND fingerprint = ?"""
        return dict(self.connection.execute(query, (mark.stage, mark.fingerprint)).fetchone())

    def _recording(self, row: sqlite3.Row) -> Recording:
        """A recording under the first of its names, with what all its sources say of it."""
        query = "SELECT path, metadata FROM sources WHERE recording = ? ORDER BY path DESC"
        sources = self.connection.execute(query, (row["id"],)).fetchall()
        metadata: dict[str, str] = {}
        for source in sources:
            metadata |= json.loads(source["metadata"])
        name = Path(sources[-1]["path"]).name if sources else row["name"]
        return revive(Recording, row, metadata=metadata, name=name)

    def _name_of_failed(self, item: str) -> str:
        for takes, table in ((Takes.RECORDING, "recordings"), (Takes.PASSAGE, "passages")):
            if self.connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (item,)).fetchone():  # noqa: S608
                return self.name_of(takes, item)
        return self.name_of(Takes.SOURCE, item)

    def paths(self, recording: str) -> list[str]:
        rows = self.connection.execute("SELECT path FROM sources WHERE recording = ? ORDER BY path", (recording,))
        return [row[0] for row in rows]
