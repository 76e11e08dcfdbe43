"""Results and failures: what was done, under which fingerprint, and what could not be.

A stage's result for an item is one row of `results`, written in the same transaction as the records it made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from aramega.records import (
    Check,
    Extra,
    Failure,
    Labels,
    Overview,
    Passage,
    Recording,
    Segment,
    Summary,
    Timeline,
    Transcript,
    Verdict,
    timestamp,
)
from aramega.store.database import Store
from aramega.store.extras import write_extra
from aramega.store.items import name_of_any, passage_ids
from aramega.store.pending import Mark
from aramega.store.rows import TABLES, replace_rows
from aramega.store.sources import source_paths


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


def write_outcomes(store: Store, outcomes: Sequence[Finished | Broken]) -> None:
    """Write a batch of outcomes, all or none of it."""
    with store.transaction():
        for (kind, stage), run in groupby(outcomes, lambda outcome: (type(outcome), outcome.mark.stage)):
            for outcome in (written := list(run)):
                if isinstance(outcome, Finished):
                    _write_result(store, outcome)
                else:
                    _write_failure(store, outcome)
            if kind is Finished:
                _forget_failures_of(store, stage, [outcome.item for outcome in written])


def _write_result(store: Store, done: Finished) -> None:
    for kind in done.makes:
        if kind is Extra:
            write_extra(
                store, done.mark.stage, done.item, next((r for r in done.records if isinstance(r, Extra)), None)
            )
            continue
        records: list[Any] = [r for r in done.records if isinstance(r, kind)]
        replace_rows(store._connection, kind, done.item, records)
        if kind is Recording:
            tie_source(store, done.item, records[0].id)
    counted: list[Any] = [r for r in done.records if isinstance(r, done.makes[-1])]
    seconds = sum((getattr(r, "seconds", 0.0) for r in counted), 0.0)
    # What has no seconds of its own, such as a draft, has its passage's.
    insert = """INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?,
                coalesce(nullif(?, 0.0), (SELECT "end" - start FROM passages WHERE id = ?), 0.0), ?, ?)"""
    row = (done.mark.stage, done.item, done.mark.fingerprint, len(counted), seconds, done.item, done.took, timestamp())
    store._connection.execute(insert, row)


def _forget_failures_of(store: Store, stage: str, items: Sequence[str]) -> None:
    if store._connection.execute("SELECT 1 FROM failures WHERE stage = ? LIMIT 1", (stage,)).fetchone():
        query = "DELETE FROM failures WHERE stage = ? AND item IN (SELECT value FROM json_each(?))"
        store._connection.execute(query, (stage, json.dumps(list(items))))


def _write_failure(store: Store, broken: Broken) -> None:
    row = (broken.mark.stage, broken.item, broken.mark.fingerprint, broken.error, broken.trace, timestamp())
    store._connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?)", row)


def tie_source(store: Store, path: str, recording: str) -> None:
    """Tie a source to its recording, which has the first of its files' names whichever came last; what an earlier
    version of the file held goes, if no other file holds it."""
    ask = store._connection.execute
    row = ask("SELECT recording FROM sources WHERE path = ?", (path,)).fetchone()
    ask("UPDATE sources SET recording = ? WHERE path = ?", (recording, path))
    first = Path(source_paths(store, recording)[0]).name
    ask("UPDATE recordings SET name = ? WHERE id = ?", (first, recording))
    before = row["recording"]
    if before and before != recording and not source_paths(store, before):
        for passage in passage_ids(store, before):
            _forget(store, passage, (Transcript, Summary, Labels, Check, Verdict))
        _forget(store, before, (Recording, Timeline, Segment, Passage, Overview))


def _forget(store: Store, item: str, kinds: Sequence[type]) -> None:
    """Drop what was made of an item that is no more."""
    for kind in kinds:
        replace_rows(store._connection, kind, item, ())
    store._connection.execute("DELETE FROM extras WHERE item = ?", (item,))
    store._connection.execute("DELETE FROM results WHERE item = ?", (item,))
    store._connection.execute("DELETE FROM failures WHERE item = ?", (item,))


def is_stale(store: Store, mark: Mark, item: str) -> bool:
    """Whether there is no result for the item under this fingerprint."""
    query = "SELECT 1 FROM results WHERE stage = ? AND item = ? AND fingerprint = ?"
    return store._connection.execute(query, (mark.stage, item, mark.fingerprint)).fetchone() is None


def fingerprints_of(store: Store, items: Sequence[str], stages: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """By item: the stages that have a result for it, in the order of their names, and the results' fingerprints."""
    query = """SELECT k.item, k.stage, k.fingerprint FROM json_each(?) v CROSS JOIN json_each(?) s
               CROSS JOIN results k ON k.stage = s.value AND k.item = v.value ORDER BY k.stage"""
    made_by: dict[str, list[tuple[str, str]]] = {item: [] for item in items}
    for item, stage, fingerprint in store._connection.execute(query, (json.dumps(items), json.dumps(stages))):
        made_by[item].append((stage, fingerprint))
    return made_by


def note_result(store: Store, mark: Mark, item: str, *, count: int) -> None:
    """Note what was done outside any stage, inside the caller's transaction."""
    row = (mark.stage, item, mark.fingerprint, count, 0.0, 0.0, timestamp())
    store._connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def retract_result(store: Store, mark: Mark, item: str) -> None:
    """Take back an item's result under other options, before files of its name are written anew: a build killed
    between the files and the commit would leave the old result standing over the new files."""
    query = "DELETE FROM results WHERE stage = ? AND item = ? AND fingerprint <> ?"
    store._connection.execute(query, (mark.stage, item, mark.fingerprint))


def tally_results(store: Store, mark: Mark) -> Mapping[str, float]:
    """How many items the stage has done, what they made, their seconds, and how long it took."""
    query = """SELECT count(*) AS done, coalesce(sum(made), 0) AS made, coalesce(sum(seconds), 0) AS seconds,
               coalesce(sum(took), 0) AS took FROM results WHERE stage = ? AND fingerprint = ?"""
    return dict(store._connection.execute(query, (mark.stage, mark.fingerprint)).fetchone())


def list_failures(store: Store, marks: Iterable[Mark]) -> list[Failure]:
    """What failed under the current fingerprints, in the order of the stages."""
    query = "SELECT * FROM failures WHERE stage = ? AND fingerprint = ? ORDER BY item"
    rows = [r for m in marks for r in store._connection.execute(query, (m.stage, m.fingerprint))]
    names = {r["item"]: name_of_any(store, r["item"]) for r in rows}
    return [Failure(r["stage"], r["item"], r["error"], r["failed_at"], names[r["item"]]) for r in rows]


def forget_failures(store: Store) -> int:
    """Let every failed item be tried again."""
    with store.transaction():
        return store._connection.execute("DELETE FROM failures").rowcount


def list_result_fingerprints(store: Store, stage: str) -> list[tuple[str, str]]:
    """Which items the stage has done, and under which fingerprint."""
    query = "SELECT item, fingerprint FROM results WHERE stage = ? ORDER BY item"
    return [(row[0], row[1]) for row in store._connection.execute(query, (stage,))]


def list_rows(store: Store, table: str) -> list[tuple[object, ...]]:
    """All rows of a table of records, whole."""
    if table not in {kind.name for kind in TABLES.values()}:
        raise ValueError(f"{table}: no table of records")
    return sorted((tuple(row) for row in store._connection.execute(f"SELECT * FROM {table}")), key=repr)  # noqa: S608
