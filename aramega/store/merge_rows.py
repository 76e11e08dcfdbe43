"""One recording's rows, from one workspace's database into another's.

What the cut, and each draft, is taken from is chosen by the rules of `merge_choices`. A draft is chosen even for a
passage that the chosen cut does not have: the next workspace may bring a cut that has it. (`collect` takes away drafts
that stay without a passage.) What people have done is taken from both sides, whatever was chosen.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from aramega.stages.names import INGEST
from aramega.store.clips import id_range, is_in_hands
from aramega.store.merge_choices import Choice, choose_draft
from aramega.store.pair import Pair, Rows
from aramega.store.rows import BOOKS, CUT, DRAFTS, PEOPLE


@dataclass(frozen=True)
class Conflict:
    """Something that two workspaces know differently, and which was taken."""

    what: str
    name: str
    taken: str


def take_recording(pair: Pair, recording: str, cut: Choice) -> Iterator[Conflict]:
    """Bring in all of a recording, whose passages are taken as chosen; exhaust it inside a transaction."""
    if cut.is_new:
        for rows in pair.rows_of(recording):
            if rows.table not in PEOPLE:
                pair.copy(rows)
    else:
        if cut.why:
            name = pair.ask("SELECT name FROM main.recordings WHERE id = ?", (recording,)).fetchone()[0]
            yield Conflict("cut, or summarized as a whole, differently", name, f"{cut.side}: {cut.why}")
        if cut.side == "theirs":
            _take_cut(pair, recording)
        _take_times(pair, recording, cut)
        yield from _take_drafts(pair, recording)
    yield from _take_people(pair, recording)
    yield from _take_sources(pair, recording)


def _take_cut(pair: Pair, recording: str) -> None:
    """Their passages and all that is known of the recording as a whole, in place of ours."""
    for table, owner in CUT:
        pair.replace(Rows(table, f"{owner} = ?", (recording,)))
    for table in BOOKS:
        pair.replace(Rows(table, pair.of_item, (recording,)))


def _take_times(pair: Pair, item: str, choice: Choice) -> None:
    """Give each result that both have the time that was chosen for it."""
    for time, stage in choice.times:
        pair.ask("UPDATE main.results SET finished_at = ? WHERE stage = ? AND item = ?", (time, stage, item))


def _take_drafts(pair: Pair, recording: str) -> Iterator[Conflict]:
    """The draft of each passage, from the side it is chosen from, whichever cut was chosen."""
    within = "SELECT passage FROM other.{table} WHERE passage >= ? AND passage < ?"
    union = " UNION ".join(within.format(table=table) for table in DRAFTS)
    query = f"{union} UNION SELECT item FROM other.results WHERE {pair.of_items}"
    for (passage,) in pair.ask(query, id_range(recording) * (len(DRAFTS) + 1)).fetchall():
        draft = choose_draft(pair, passage)
        if draft.why and _is_wanted(pair, passage):
            yield Conflict("drafted differently", passage, f"{draft.side}: {draft.why}")
        if draft.side == "theirs":
            for table in DRAFTS:
                pair.replace(Rows(table, "passage = ?", (passage,)))
            for table in BOOKS:
                pair.replace(Rows(table, pair.of_item, (passage,)))
        _take_times(pair, passage, draft)


def _is_wanted(pair: Pair, passage: str) -> bool:
    """Whether the passage is in the chosen cut, or people have worked on it."""
    hands = " OR ".join(is_in_hands("?1", schema) for schema in ("main", "other"))
    query = f"SELECT 1 WHERE ?1 IN (SELECT id FROM main.passages) OR {hands}"
    return pair.ask(query, (passage,)).fetchone() is not None


def _take_people(pair: Pair, recording: str) -> Iterator[Conflict]:
    """All reviews and tasks; of two settled answers the one that people gave, else the newer, else the greater."""
    within = id_range(recording)
    for table, key in (
        ("reviews", "o.id = m.id"),
        ("tasks", "(o.place, o.project, o.task) = (m.place, m.project, m.task)"),
    ):
        differ = " OR ".join(f'o."{column}" IS NOT m."{column}"' for column in pair.columns(table))
        differing = f"""SELECT m.passage FROM other.{table} o JOIN main.{table} m ON {key}
                        WHERE o.passage >= ? AND o.passage < ? AND ({differ})"""
        for (passage,) in pair.ask(differing, within).fetchall():
            yield Conflict(f"{table} under one number that say different things", passage, "ours")
        pair.add(Rows(table, "passage >= ? AND passage < ?", within))
    texts = ", ".join(f'quote({{schema}}."{column}")' for column in pair.columns("resolved"))
    rank = f"({{schema}}.reviews <> '[]', {{schema}}.resolved_at, {texts})"
    theirs, ours = rank.format(schema="o"), rank.format(schema="m")
    newer = f"""SELECT o.* FROM other.resolved o LEFT JOIN main.resolved m ON m.passage = o.passage
                WHERE o.passage >= ? AND o.passage < ? AND (m.passage IS NULL OR {theirs} > {ours})"""
    pair.ask(f"INSERT OR REPLACE INTO main.resolved {newer}", within)


def _take_sources(pair: Pair, recording: str) -> Iterator[Conflict]:
    """The files the recording came in. A path that is another recording here is kept under a name that says so."""
    for row in pair.ask("SELECT * FROM other.sources WHERE recording = ?", (recording,)).fetchall():
        path = row["path"]
        ours = pair.ask("SELECT recording, metadata FROM main.sources WHERE path = ?", (path,)).fetchone()
        if ours and ours["recording"] not in (None, recording):
            yield Conflict("one path, two recordings", path, f"both; theirs as {path}#{recording}")
            _take_source(pair, path, f"{path}#{recording}")
            continue
        if not ours or ours["recording"] is None:
            _take_source(pair, path, path)
        if ours:
            yield from _describe(pair, path, json.loads(ours["metadata"]), json.loads(row["metadata"]))


def _describe(pair: Pair, path: str, ours: dict[str, str], theirs: dict[str, str]) -> Iterator[Conflict]:
    """What a curator knows of a file: ours, and of theirs what we do not know."""
    if any(theirs.get(key, value) != value for key, value in ours.items()):
        yield Conflict("described differently", path, "ours")
    metadata = json.dumps({**theirs, **ours}, ensure_ascii=False)
    pair.ask("UPDATE main.sources SET metadata = ? WHERE path = ? AND metadata <> ?", (metadata, path, metadata))


def _take_source(pair: Pair, path: str, name: str) -> None:
    if pair.are_in("main", Rows("sources", "path = ? AND recording IS NOT NULL", (name,))):
        return
    query = "INSERT OR REPLACE INTO main.sources SELECT ?, size, mtime_ns, recording, metadata FROM other.sources"
    pair.ask(f"{query} WHERE path = ?", (name, path))
    pair.ask(f"DELETE FROM main.failures WHERE stage = '{INGEST}' AND item = ?", (name,))
    for table in BOOKS:
        rest = ", ".join(column for column in pair.columns(table) if column not in ("stage", "item"))
        books = f"SELECT stage, ?, {rest} FROM other.{table} WHERE stage = '{INGEST}' AND item = ?"
        pair.ask(f"INSERT OR IGNORE INTO main.{table} (stage, item, {rest}) {books}", (name, path))
