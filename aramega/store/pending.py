"""What is left to do: items without a result or a failure under today's fingerprint, with all they read in place
under theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
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
    current = fingerprints(stages)
    return {stage.name: Mark(stage.name, current[stage.name], stage.takes) for stage in stages}


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
    query = _pending_sql(mark.takes, tuple(read.takes for read in reads), chosen=True)
    rows = store._connection.execute(query, [mark.stage, json.dumps(list(items)), *_pending_values(mark, reads)])
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
    return _pending_sql(mark.takes, tuple(read.takes for read in reads)), _pending_values(mark, reads)


def _pending_values(mark: Mark, reads: Sequence[Mark]) -> list[str]:
    return [value for asked in (mark, mark, *reads) for value in (asked.stage, asked.fingerprint)]


@cache
def _pending_sql(takes: Takes, reads: Sequence[Takes], *, chosen: bool = False) -> str:
    """The same text for the same stage, so that it is put together once, and SQLite has it ready. Of `chosen` items,
    given as a JSON list, it says besides whether the stage, whose name comes first, has a result under any options."""
    table, key, more = _TABLE[takes]
    columns = f"t.{key} AS id{more}"
    conditions = [_NONE.format(kind=kind) for kind in ("results", "failures")]
    conditions += [_IS_READ[read, takes] for read in reads]
    pending = f"WHERE 1 AND {' AND '.join(conditions)}"
    if not chosen:
        return f"SELECT id FROM (SELECT {columns} FROM {table} t) i {pending}"  # noqa: S608
    return f"""SELECT id, EXISTS (SELECT 1 FROM results k WHERE k.stage = ? AND k.item = id)
        FROM (SELECT {columns} FROM json_each(?) v CROSS JOIN {table} t ON t.{key} = v.value) i {pending}"""  # noqa: S608


_TABLE = {
    Takes.SOURCE: ("sources", "path", ""),
    Takes.RECORDING: ("recordings", "id", ""),
    Takes.PASSAGE: ("passages", "id", ", recording"),
}
"""Where a stage's items are: the table, its key, and what else of them is asked."""

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
