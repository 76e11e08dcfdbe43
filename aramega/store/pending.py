"""What is left to do: items without a result or a failure under today's fingerprint, with all they read in place
under theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aramega.stages.base import Stage, Takes, fingerprints
from aramega.store.database import Store
from aramega.store.recordings import PAGE


@dataclass(frozen=True)
class Mark:
    """Which stage, which fingerprint, over which items: what a result or a failure is a result or a failure of."""

    stage: str
    fingerprint: str
    takes: Takes = Takes.RECORDING


def current_marks(stages: Sequence[Stage[Any]]) -> dict[str, Mark]:
    """Each stage's name and fingerprint under this configuration."""
    made = fingerprints(stages)
    return {stage.name: Mark(stage.name, made[stage.name], stage.takes) for stage in stages}


def list_pending(store: Store, mark: Mark, reads: Sequence[Mark]) -> Iterator[str]:
    """The items the stage has neither done nor failed under this fingerprint, with all it reads in place."""
    query, values = _pending_query(mark, reads)
    after = ""
    while page := store._connection.execute(
        f"{query} AND id > ? ORDER BY id LIMIT {PAGE}", [*values, after]
    ).fetchall():
        yield from (row[0] for row in page)
        after = page[-1][0]


def is_pending(store: Store, mark: Mark, reads: Sequence[Mark], item: str) -> bool:
    query, values = _pending_query(mark, reads)
    return store._connection.execute(f"{query} AND id = ?", [*values, item]).fetchone() is not None


def select_pending(store: Store, mark: Mark, reads: Sequence[Mark], items: Sequence[str]) -> dict[str, bool]:
    """Those of the items that are pending, in their order, and whether each has a result under another fingerprint."""
    query, values = _pending_query(mark, reads)
    query = f"""SELECT id, EXISTS (SELECT 1 FROM results k WHERE k.stage = ? AND k.item = id)
                FROM ({query} AND id IN (SELECT value FROM json_each(?)))"""  # noqa: S608
    rows = store._connection.execute(query, [mark.stage, *values, json.dumps(list(items))])
    pending = {row[0]: bool(row[1]) for row in rows}
    return {item: pending[item] for item in items if item in pending}


def is_wanted(store: Store, recording: str, stages: Sequence[tuple[Mark, Sequence[Mark]]]) -> bool:
    """Whether one of the stages will be at the recording, now or once what it reads is there: it has neither done nor
    failed it, and none of what it reads has failed."""
    ahead, values = [], [recording]
    for mark, reads in stages:
        marks = [("results", mark), ("failures", mark)]
        marks += [("failures", read) for read in reads if read.takes is mark.takes]
        ahead.append(" AND ".join(_NONE.format(kind=kind) for kind, _ in marks))
        values += [value for _, settled in marks for value in (settled.stage, settled.fingerprint)]
    query = f"SELECT 1 FROM recordings WHERE id = ? AND ({' OR '.join(ahead)})"  # noqa: S608
    return bool(ahead) and store._connection.execute(query, values).fetchone() is not None


def count_pending_items(store: Store, mark: Mark, reads: Sequence[Mark]) -> int:
    query, values = _pending_query(mark, reads)
    return int(store._connection.execute(f"SELECT count(*) FROM ({query})", values).fetchone()[0])  # noqa: S608


def _pending_query(mark: Mark, reads: Sequence[Mark]) -> tuple[str, list[str]]:
    """SQL for the ids of pending items, to which a caller may add ` AND …`, and its values."""
    items = {
        Takes.SOURCE: "SELECT path AS id FROM sources",
        Takes.RECORDING: "SELECT id FROM recordings",
        Takes.PASSAGE: "SELECT id, recording FROM passages",
    }[mark.takes]
    query = f"SELECT id FROM ({items}) i WHERE 1"  # noqa: S608
    values: list[str] = []
    for kind in ("results", "failures"):
        query += f" AND {_NONE.format(kind=kind)}"
        values += [mark.stage, mark.fingerprint]
    for read in reads:
        query += f" AND {_IS_READ[read.takes, mark.takes]}"
        values += [read.stage, read.fingerprint]
    return query, values


_NONE = "NOT EXISTS (SELECT 1 FROM {kind} k WHERE k.stage = ? AND k.item = id AND k.fingerprint = ?)"
_DONE = "EXISTS (SELECT 1 FROM results k WHERE k.stage = ? AND k.item = {item} AND k.fingerprint = ?)"
# CROSS JOIN is SQLite's way to be told the order: from a recording's few sources to their results.
_SOURCE_DONE = """EXISTS (SELECT 1 FROM sources s CROSS JOIN results k ON k.stage = ? AND k.item = s.path
                  WHERE s.recording = {recording} AND k.fingerprint = ?)"""
_IS_READ = {
    (Takes.SOURCE, Takes.RECORDING): _SOURCE_DONE.format(recording="id"),
    (Takes.SOURCE, Takes.PASSAGE): _SOURCE_DONE.format(recording="recording"),
    (Takes.RECORDING, Takes.RECORDING): _DONE.format(item="id"),
    (Takes.RECORDING, Takes.PASSAGE): _DONE.format(item="recording"),
    (Takes.PASSAGE, Takes.PASSAGE): _DONE.format(item="id"),
    # A recording waits for each of its passages.
    (Takes.PASSAGE, Takes.RECORDING): "NOT EXISTS (SELECT 1 FROM passages p WHERE p.recording = i.id AND NOT "  # noqa: S608
    + _DONE.format(item="p.id")
    + ")",
}
"""Whether what an item reads is in place, by what the read stage takes and what the reading one does."""
