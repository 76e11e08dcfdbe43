"""Merge: several workspaces into one, for teams that shard by hand.

Recording by recording: its clips and frames first, as links where the disk allows it, then all its rows in one
transaction. So a merge that is killed goes on where it stopped, and one that is run again adds nothing. What two
workspaces know differently is settled by rule and said by name; see `recordings`.

The configuration stays the target's, or is the first one's where the target is new, and what differs is said: what
came from a workspace with other options is outdated in the target, and a build there does it anew.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aramega.backends.llm.journal import Journal
from aramega.config import Config, load_config
from aramega.maintenance.link_or_copy import carry
from aramega.maintenance.recordings import Conflict, Merger, Side
from aramega.maintenance.references import checked_path, clip_path, frame_paths
from aramega.maintenance.small_files import find_papers
from aramega.records import AramegaError
from aramega.stages.names import INGEST, PASSAGES
from aramega.store import Store
from aramega.store.clips import id_range, recording_of
from aramega.store.rows import DRAFTS, PEOPLE
from aramega.workspace import WorkspaceFolder, whole_file

Wanted = Callable[[str], bool]
"""Whether a recording, by its id, or a file that is none yet, by its path, is to be merged."""


@dataclass
class Merged:
    """What one workspace brought."""

    workspace: str
    recordings: int = 0
    """New in the target."""
    passages: int = 0
    reviews: int = 0
    clips: int = 0
    """Linked or copied."""
    bytes: int = 0
    """Of those that had to be copied."""
    missing: list[str] = field(default_factory=list)
    """Clips that a row names and that were not there."""
    conflicts: list[Conflict] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    """Options that differ from the target's: key, theirs, ours."""


def everything(_: str) -> bool:
    return True


def merge(source: WorkspaceFolder, target: WorkspaceFolder, wanted: Wanted = everything) -> Merged:
    """Bring into `target` what `source` holds of the recordings that are `wanted`. Hold `building` around it."""
    if source.root.resolve() == target.root.resolve():
        raise AramegaError(f"{source.root}: cannot be merged into itself.")
    merged = Merged(str(source.root))
    with _both(source, target) as connection:
        _merge_papers(source, target, merged)
        _merge_answers(source, target)
        before = _counts(connection)
        merger = Merger(connection)
        for recording in filter(wanted, _recordings(connection)):
            if merger.brings_news(recording):
                _merge_recording(connection, merger, recording, source, target, merged)
        _merge_rest(connection, wanted)
        after = _counts(connection)
    merged.recordings, merged.passages, merged.reviews = (b - a for a, b in zip(before, after, strict=True))
    merged.conflicts = merger.conflicts
    return merged


def _merge_recording(
    connection: sqlite3.Connection,
    merger: Merger,
    recording: str,
    source: WorkspaceFolder,
    target: WorkspaceFolder,
    merged: Merged,
) -> None:
    is_new = merger.is_new(recording)
    side: Side = "theirs" if is_new else merger.choose_cut(recording)
    if side == "theirs" and not is_new:
        # Clips of one name may differ: killed before the commit, our row must not stand over their clip.
        connection.execute(f"DELETE FROM main.results WHERE stage = '{PASSAGES}' AND item = ?", (recording,))
    for path in _clips(connection, recording, side, source):
        _bring(source, target, path, merged)
    for path in frame_paths(source, recording):
        if (source.root / path).exists() and (side == "theirs" or not (target.root / path).exists()):
            carry(source.root / path, target.root / path)
    with _transaction(connection):
        if is_new:
            merger.take_recording(recording)
        elif side == "theirs":
            merger.take_cut(recording)
        if not is_new:
            merger.take_times(recording)
            merger.take_drafts(recording)
        merger.take_people(recording)
        merger.take_sources(recording)


def _clips(connection: sqlite3.Connection, recording: str, side: Side, source: WorkspaceFolder) -> list[str]:
    """The clips of the passages that are taken, and of those that people of theirs have worked on."""
    chosen = "other" if side == "theirs" else "main"
    taken = [row[0] for row in connection.execute("SELECT clip FROM other.passages WHERE recording = ?", (recording,))]
    union = " UNION ".join(f"SELECT passage FROM other.{table} WHERE passage >= ? AND passage < ?" for table in PEOPLE)
    query = f"SELECT passage FROM ({union}) WHERE passage NOT IN (SELECT id FROM {chosen}.passages)"
    besides = connection.execute(query, id_range(recording) * len(PEOPLE))
    lone = [clip_path(source, row[0]) for row in besides]
    return [checked_path(path) for path in taken if side == "theirs"] + [p for p in lone if (source.root / p).exists()]


def _bring(source: WorkspaceFolder, target: WorkspaceFolder, path: str, merged: Merged) -> None:
    try:
        how = carry(source.root / path, target.root / path)
    except FileNotFoundError:
        merged.missing.append(path)
        return
    merged.clips += how != "there"
    merged.bytes += (target.root / path).stat().st_size if how == "copied" else 0


def _recordings(connection: sqlite3.Connection) -> list[str]:
    """The recordings of `other`, and those that are no more but of which drafts or people's work is left."""
    known = {row[0] for row in connection.execute("SELECT id FROM other.recordings")}
    union = " UNION ".join(f"SELECT passage FROM other.{table}" for table in (*DRAFTS, *PEOPLE))
    stray = connection.execute(f"SELECT passage FROM ({union}) WHERE passage NOT IN (SELECT id FROM other.passages)")
    return sorted(known | {recording_of(row[0]) for row in stray})


def _merge_rest(connection: sqlite3.Connection, wanted: Wanted) -> None:
    """What is of no recording: files not read yet, names that were wrong, the judge's book, and up to when each
    project was pulled, of which the earlier holds since pulling again adds nothing twice."""
    connection.create_function("wanted", 1, lambda item: bool(wanted(item)))
    unread = "SELECT path FROM other.sources WHERE recording IS NULL AND path NOT IN (SELECT path FROM main.sources)"
    of_no_source = "item NOT IN (SELECT path FROM other.sources WHERE recording IS NOT NULL)"
    with _transaction(connection):
        failed = f"""SELECT * FROM other.failures WHERE stage = '{INGEST}' AND {of_no_source} AND wanted(item) AND item
                     NOT IN (SELECT path FROM main.sources)"""
        connection.execute(f"INSERT OR IGNORE INTO main.failures {failed}")
        connection.execute(
            f"INSERT INTO main.sources SELECT * FROM other.sources WHERE path IN ({unread}) AND wanted(path)"
        )
        newer = """SELECT o.* FROM other.results o LEFT JOIN main.results m ON (m.stage, m.item) = (o.stage, o.item)
                   WHERE o.stage = 'judge' AND o.item = 'workspace' AND (m.item IS NULL OR o.finished_at > m.finished_at)"""
        connection.execute(f"INSERT OR REPLACE INTO main.results {newer}")
        pulled = """SELECT o.place, o.project, o.title, min(o.since, coalesce(m.since, o.since)) FROM other.projects o
                    LEFT JOIN main.projects m ON (m.place, m.project) = (o.place, o.project)"""
        connection.execute(f"INSERT OR REPLACE INTO main.projects {pulled}")


def _merge_papers(source: WorkspaceFolder, target: WorkspaceFolder, merged: Merged) -> None:
    """What was withdrawn from any is withdrawn from all; of everything else the target's own stays."""
    for paper in find_papers(source):
        if not (target.root / paper).exists():
            with whole_file(target.root / paper) as part:
                shutil.copy2(source.root / paper, part)
    merged.options = compare_options(source, target)
    theirs, ours = source.withdrawn, target.withdrawn
    if theirs.exists():
        known = ours.read_text(encoding="utf-8-sig").splitlines()
        added = [line for line in theirs.read_text(encoding="utf-8-sig").splitlines() if line not in known]
        if added:
            with whole_file(ours) as part:
                part.write_text("".join(f"{line}\n" for line in [*known, *added]), encoding="utf-8")


def compare_options(source: WorkspaceFolder, target: WorkspaceFolder) -> list[str]:
    """Each option that two workspaces were last built with differently."""
    theirs, ours = (load_config(w.config) if w.config.exists() else Config() for w in (source, target))
    flat = [{(s, k): v for s, options in c.model_dump().items() for k, v in options.items()} for c in (theirs, ours)]
    pairs = [(f"{section}.{key}", value, flat[1][section, key]) for (section, key), value in flat[0].items()]
    return [
        f"{name} is {theirs!r} there and {ours!r} in {target.config.name} here"
        for name, theirs, ours in pairs
        if theirs != ours
    ]


def _merge_answers(source: WorkspaceFolder, target: WorkspaceFolder) -> None:
    """What language models answered. Answers that both have were paid for once: what was spent is at least their sum."""
    if not source.answers.exists():
        return
    Journal(target.answers).close()  # makes the tables, where they are not there yet
    with _attached(target.answers, source.answers) as connection, _transaction(connection):
        connection.execute("INSERT OR IGNORE INTO main.answers SELECT * FROM other.answers")
        connection.execute(
            """UPDATE main.spent SET (requests, prompt_tokens, completion_tokens) = (
               SELECT max(m.requests, o.requests, a.number), max(m.prompt_tokens, o.prompt_tokens, a.prompt),
                   max(m.completion_tokens, o.completion_tokens, a.completion)
               FROM main.spent m, other.spent o, (SELECT count(*) AS number, coalesce(sum(prompt_tokens), 0) AS prompt,
                   coalesce(sum(completion_tokens), 0) AS completion FROM main.answers) a)"""
        )


def _counts(connection: sqlite3.Connection) -> tuple[int, int, int]:
    query = "SELECT (SELECT count(*) FROM main.recordings), (SELECT count(*) FROM main.passages), (SELECT count(*) FROM main.reviews)"
    recordings, passages, reviews = connection.execute(query).fetchone()
    return recordings, passages, reviews


@contextmanager
def _both(source: WorkspaceFolder, target: WorkspaceFolder) -> Iterator[sqlite3.Connection]:
    """One connection on the target with the source attached, both with today's tables."""
    Store.open(source).close()
    Store.create_or_open(target).close()
    with _attached(target.database, source.database) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        yield connection


@contextmanager
def _attached(main: Path, other: Path) -> Iterator[sqlite3.Connection]:
    writable = os.access(other, os.W_OK) and os.access(other.parent, os.W_OK)
    there = other.absolute().as_uri() + ("" if writable else "?mode=ro&immutable=1")
    with closing(sqlite3.connect(main.absolute().as_uri(), uri=True, timeout=30, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("ATTACH ? AS other", (there,))
        yield connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
