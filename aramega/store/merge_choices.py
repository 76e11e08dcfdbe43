"""Which workspace's rows to take where two know the same recording or passage.

Where one side has gone further than the other, it is taken. Where they were built under other options, the one is
taken that people have worked on, else the newer, and of two as new as each other the one whose content has the greater
digest: no choice depends on which side is merged into, so merging the same workspaces again changes nothing.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aramega.records import Recording, Verdict
from aramega.store.clips import is_in_hands
from aramega.store.pair import Pair, Rows, Schema, opposite
from aramega.store.rows import CUT, DRAFTS, TABLES

Side = Literal["ours", "theirs"]


@dataclass(frozen=True)
class Choice:
    """The side that is taken."""

    side: Side
    why: str = ""
    """Empty where the sides do not contradict each other."""
    later_times: tuple[tuple[str, str], ...] = ()
    """Of results that both sides have, made at two times: the later time, and the stage."""
    is_new: bool = False
    """Whether `main` knows nothing at all of it."""


def choose_cut(pair: Pair, recording: str) -> Choice:
    """Whose passages to keep; what both have is ours."""
    if not any(pair.are_in("main", rows) for rows in pair.rows_of(recording)):
        return Choice("theirs", is_new=True)
    row = Rows(TABLES[Recording].name, "id = ?", (recording,))
    if not pair.are_in("other", row):
        return Choice("ours")
    if not pair.are_in("main", row):
        return Choice("theirs")
    compared = [Rows(table, f"{owner} = ?", (recording,)) for table, owner in CUT if table != row.table]
    of_passages = "SELECT 1 FROM {schema}.passages WHERE recording = ? AND " + is_in_hands("id", "{schema}")
    return _choose(pair, recording, compared, of_passages)


def choose_draft(pair: Pair, passage: str) -> Choice:
    """Whose draft of a passage to keep. A verdict is given in the light of all other drafts, so two workspaces may
    well differ in it: it is not compared."""
    compared = [Rows(table, "passage = ?", (passage,)) for table in DRAFTS if table != TABLES[Verdict].name]
    return _choose(pair, passage, compared, "SELECT 1 WHERE " + is_in_hands("?1", "{schema}"))


def _choose(pair: Pair, item: str, compared: Sequence[Rows], in_hands: str) -> Choice:
    if not _is_more(pair, "other", compared, item):
        return Choice("ours", later_times=_later_times(pair, item))
    if not _is_more(pair, "main", compared, item):
        return Choice("theirs", later_times=_later_times(pair, item))
    ours, theirs = (pair.ask(in_hands.format(schema=s), (item,)).fetchone() is not None for s in ("main", "other"))
    if ours != theirs:
        return Choice("ours" if ours else "theirs", "people have worked on it")
    newest = f"SELECT coalesce(max(finished_at), '') FROM {{}}.results WHERE {pair.of_item}"
    our_time, their_time = (pair.ask(newest.format(s), (item,)).fetchone()[0] for s in ("main", "other"))
    if our_time != their_time:
        return Choice("theirs" if their_time > our_time else "ours", "the newer")
    ours_is_less = _digest(pair, "main", compared, item) < _digest(pair, "other", compared, item)
    return Choice("theirs" if ours_is_less else "ours", "as new as the other")


def _is_more(pair: Pair, schema: Schema, compared: Sequence[Rows], item: str) -> bool:
    """Whether one side has a row or a result that the other does not. When it was made is no difference."""
    if any(pair.are_beyond(schema, rows) for rows in compared):
        return True
    query = f"{_results(pair, schema)} EXCEPT {_results(pair, opposite(schema))}"
    return pair.ask(query, (item, item)).fetchone() is not None


def _later_times(pair: Pair, item: str) -> tuple[tuple[str, str], ...]:
    result = f"SELECT stage, fingerprint, made, finished_at FROM {{}}.results WHERE {pair.of_item}"
    query = f"""SELECT max(finished_at), stage FROM ({result.format("main")} UNION ALL {result.format("other")})
                GROUP BY stage, fingerprint, made HAVING min(finished_at) <> max(finished_at)"""
    return tuple((time, stage) for time, stage in pair.ask(query, (item, item)))


def _digest(pair: Pair, schema: Schema, compared: Sequence[Rows], item: str) -> str:
    """A hash of what is compared of one side."""
    asked = [pair.ask(f"SELECT * FROM {schema}.{table} WHERE {where}", values) for table, where, values in compared]
    asked.append(pair.ask(_results(pair, schema), (item,)))
    rows = [sorted(repr(tuple(row)) for row in cursor) for cursor in asked]
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogateescape")).hexdigest()


def _results(pair: Pair, schema: Schema) -> str:
    return f"SELECT stage, fingerprint, made FROM {schema}.results WHERE {pair.of_item}"
