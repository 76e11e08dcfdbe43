"""Collect: take away what nothing in the workspace names any more.

Passages cut otherwise, a recording that is no more, a killed build: each leaves clips, frames, drafts and books
behind that a build never looks at again, unless the curator goes back to the options of before. Drafts that only
another option made outdated are a different matter: a model's file on a disk that is not mounted looks like another
option, and what it made took weeks. So they are rules of their own, which the caller must ask for.

Only files under names that we give are looked at, so whatever a person put into the folders stays. What people
have worked on stays, too, with its clip and draft, even where its passage is gone. Rows go first, in one
transaction, files after: killed in between, the next run takes the files. SQLite keeps the room of deleted rows
for new ones; the database file does not shrink.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aramega.maintenance.references import PEOPLE, files_below, is_in_hands, is_unnamed
from aramega.pipeline import Pipeline
from aramega.records import Check, Extra, Labels, Overview, Summary, Transcript, Verdict
from aramega.stages.base import Stage, Takes
from aramega.stages.names import INGEST
from aramega.store import Mark, Store
from aramega.store.rows import TABLES
from aramega.workspace import WorkspaceFolder

DRAFTS = tuple(TABLES[kind].name for kind in (Transcript, Summary, Labels, Check, Verdict))


@dataclass(frozen=True)
class Garbage:
    """A file that nothing names, or that a killed build left."""

    kind: str
    """clip, preview, frames, samples or leftover."""
    path: Path
    bytes: int
    """What its removal gives back: nothing where a backup or another workspace holds the same file as a link."""


@dataclass(frozen=True)
class Collection:
    """What was taken away, or would be."""

    files: tuple[Garbage, ...]
    rows: Mapping[str, int]
    """How many of each table, where there are any."""
    in_hands: int
    """Passages whose row is gone and whose clip and draft stay, since people have worked on them."""
    outdated: int
    """Results that were made under other options than today's and are there to go back to."""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """How many files of each kind, and their bytes."""
        kinds = dict.fromkeys(file.kind for file in self.files)
        sizes = {kind: [file.bytes for file in self.files if file.kind == kind] for kind in kinds}
        return {kind: (len(found), sum(found)) for kind, found in sizes.items()}


@dataclass(frozen=True)
class Rule:
    """Which rows of a table may go: an SQL condition and its values."""

    table: str
    where: str
    values: tuple[str, ...] = ()


def plan_collection(store: Store, pipeline: Pipeline, rules: Sequence[Rule]) -> Collection:
    """What `collect` would take away."""
    with store.snapshot():
        rows = {table: _ask(store, f"SELECT count(*) FROM {table} WHERE {w}", v) for table, w, v in _by_table(rules)}
        files = [*find_leftovers(pipeline.workspace), *_garbage(store, pipeline.workspace)]
        return _collection(store, pipeline, files, rows)


def collect(store: Store, pipeline: Pipeline, rules: Sequence[Rule], leftovers: Sequence[Garbage] = ()) -> Collection:
    """Take away the rows that `rules` name, then every file that no row names. Hold `building` around it, which has
    taken the `leftovers`."""
    rows = {}
    with store.transaction():
        for table, where, values in _by_table(rules):
            rows[table] = store.connection.execute(f"DELETE FROM {table} WHERE {where}", values).rowcount
    with store.snapshot():
        files = list(_garbage(store, pipeline.workspace))
        for file in files:
            file.path.unlink(missing_ok=True)
        _drop_empty_folders(pipeline.workspace, files)
        return _collection(store, pipeline, [*leftovers, *files], rows)


def of_nothing() -> list[Rule]:
    """Drafts and books of items that are no more. The judge's book is over the whole workspace, and of no item."""
    gone = "NOT IN (SELECT id FROM passages)"
    rules = [Rule(table, f"passage {gone} AND NOT {is_in_hands('passage')}") for table in DRAFTS]
    rules.append(Rule(TABLES[Overview].name, "recording NOT IN (SELECT id FROM recordings)"))
    no_item = f"""item {gone} AND item NOT IN (SELECT id FROM recordings) AND item NOT IN (SELECT path FROM sources)
                  AND (stage, item) <> ('judge', 'workspace') AND NOT {is_in_hands("item")}"""
    rules.append(Rule("extras", no_item))
    # A name or a manifest line that was wrong fails as an item of its own: of no source, and worth knowing.
    return [*rules, Rule("results", no_item), Rule("failures", f"{no_item} AND stage <> '{INGEST}'")]


def of_other_options(pipeline: Pipeline) -> list[Rule]:
    """Drafts that were made under other options than today's, and their books. A stage that is not asked for today
    has no options to be held against, so what it made stays."""
    drafting = [stage for stage in pipeline.stages if _makes_drafts(stage)]
    return [rule for stage in drafting for rule in _rules_for(stage, pipeline.marks[stage.name])]


def find_leftovers(workspace: WorkspaceFolder) -> list[Garbage]:
    """What a killed build left half written; whoever takes the build lock removes it first of all."""
    folders = [workspace.root / name for name in ("frames", "scratch", "clips")]
    return [_file("leftover", path) for folder in folders for path in files_below(folder) if path.suffix == ".part"]


def _rules_for(stage: Stage[Any], mark: Mark) -> Iterator[Rule]:
    values = (mark.stage, mark.fingerprint)
    if Extra in stage.makes:
        outdated = "item NOT IN (SELECT item FROM results WHERE stage = ? AND fingerprint = ?)"
        yield Rule("extras", f"stage = ? AND {outdated} AND NOT {is_in_hands('item')}", (mark.stage, *values))
    records = [kind for kind in stage.makes if kind is not Extra]
    for kind in [*records, Verdict] if Check in stage.makes else records:  # a verdict is over a check
        table = TABLES[kind]
        current = f"{table.owner} IN (SELECT item FROM results WHERE stage = ? AND fingerprint = ?)"
        yield Rule(table.name, f"NOT {current} AND NOT {is_in_hands(table.owner)}", values)
    for table_name in ("results", "failures"):
        yield Rule(table_name, f"stage = ? AND fingerprint <> ? AND NOT {is_in_hands('item')}", values)


def _makes_drafts(stage: Stage[Any]) -> bool:
    return stage.takes is Takes.PASSAGE or Overview in stage.makes


def _by_table(rules: Sequence[Rule]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """One condition a table, in the order the tables first come: drafts before the books they are judged by."""
    for table in dict.fromkeys(rule.table for rule in rules):
        mine = [rule for rule in rules if rule.table == table]
        yield table, " OR ".join(f"({rule.where})" for rule in mine), tuple(v for rule in mine for v in rule.values)


def _garbage(store: Store, workspace: WorkspaceFolder) -> Iterator[Garbage]:
    """The files under names of ours that no row names."""
    unnamed = dict.fromkeys(_unnamed(store, workspace, "clips"))
    for (clip,) in store.connection.execute("SELECT clip FROM passages"):
        unnamed.pop(workspace.root / clip, None)
    yield from (_file("clip", path) for path in unnamed)
    for path in _unnamed(store, workspace, "previews"):
        yield _file("preview", path)
    for path in _unnamed(store, workspace, "frames"):
        yield _file("frames", path)
    for path in files_below(workspace.root / "scratch"):
        if path.suffix == ".s16":
            yield _file("samples", path)


def _unnamed(store: Store, workspace: WorkspaceFolder, folder: str) -> Iterator[Path]:
    return (path for path in files_below(workspace.root / folder) if is_unnamed(store.connection, folder, path.name))


def _file(kind: str, path: Path) -> Garbage:
    about = path.lstat()
    return Garbage(kind, path, about.st_size if about.st_nlink == 1 else 0)


def _drop_empty_folders(workspace: WorkspaceFolder, files: Sequence[Garbage]) -> None:
    for folder in {file.path.parent for file in files}:
        while folder != workspace.root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent  # noqa: PLW2901  up to the first that still holds something


def _collection(store: Store, pipeline: Pipeline, files: Sequence[Garbage], rows: Mapping[str, int]) -> Collection:
    union = " UNION ".join(f"SELECT passage FROM {table}" for table in PEOPLE)
    in_hands = f"SELECT count(*) FROM ({union}) WHERE passage NOT IN (SELECT id FROM passages)"
    books = [rule for rule in of_other_options(pipeline) if rule.table == "results"]
    outdated = sum(_ask(store, f"SELECT count(*) FROM results WHERE {rule.where}", rule.values) for rule in books)
    found = {table: number for table, number in rows.items() if number}
    return Collection(tuple(files), found, _ask(store, in_hands, ()), outdated)


def _ask(store: Store, query: str, values: tuple[str, ...]) -> int:
    return int(store.connection.execute(query, values).fetchone()[0])
