"""Which workspace's rows to take where two know the same recording or passage.

Where one side has gone further than the other, it is taken. Where they were built under other options, the one is
taken that people have worked on, else the newer, and of two as new as each other the one whose content has the greater
digest: no choice depends on which side is merged into, so merging the same workspaces again changes nothing. (Unless,
of one passage, three workspaces have a whole draft, a part of the same draft and another draft, and the part is the
newest or the one people worked on: then the whole draft may be taken at the second time only.)
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
    times: tuple[tuple[str, str], ...] = ()
    """Of results that both sides have, made at two times: the time they get, and the stage."""
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
    ours, theirs = (pair.ask(in_hands.format(schema=s), (item,)).fetchone() is not None for s in ("main", "other"))
    counted: tuple[Schema, ...] = ("main", "other") if ours == theirs else ("main",) if ours else ("other",)
    if not _is_more(pair, "other", compared, item):
        return Choice("ours", times=_times(pair, counted, item))
    if not _is_more(pair, "main", compared, item):
        return Choice("theirs", times=_times(pair, counted, item))
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


def _times(pair: Pair, counted: tuple[Schema, ...], item: str) -> tuple[tuple[str, str], ...]:
    """When the results that both sides have were made, where they differ: the later of the times that count. With the
    earlier time, a third workspace's result from between the two would be taken now, and given up when the same
    workspaces are merged again. Where people worked on one side alone, its time counts alone, since its results do."""
    result = f"SELECT '{{0}}' AS side, stage, fingerprint, made, finished_at FROM {{0}}.results WHERE {pair.of_item}"
    names = ", ".join(f"'{schema}'" for schema in counted)
    query = f"""SELECT max(finished_at) FILTER (WHERE side IN ({names})), stage
                FROM ({result.format("main")} UNION ALL {result.format("other")})
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
