"""One recording, from one workspace's database into another's.

Two workspaces may know the same recording: two people took the same file. What both have is one; where one has gone
further, that is taken; where they were built under other options, one of them is chosen, first for how the
recording is cut into passages and then, passage by passage, for the draft: the one that people have worked on, else
the newer, and of two as new as each other the one whose content has the greater digest. What people have done is taken
from both, whatever was chosen.

Merging the same workspaces again changes nothing, since no choice depends on which side is merged into. For that, a
draft is chosen even for a passage that the chosen cut does not have: the next workspace may bring a cut that has it.
`collect` takes away drafts that stay without a passage.

`main` is the workspace that is merged into and `other` the attached one. This module only reads and writes rows; the
caller holds the transaction, and has carried the clips.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Literal

from aramega.records import Recording, Verdict
from aramega.stages.names import INGEST
from aramega.store.clips import id_range, is_in_hands
from aramega.store.rows import BOOKS, CUT, DRAFTS, PEOPLE, TABLES

Side = Literal["ours", "theirs"]

_VERDICTS = TABLES[Verdict].name
_CUT_COMPARED = [(table, f"{owner} = ?") for table, owner in CUT if table != TABLES[Recording].name]
_DRAFT_COMPARED = [(table, "passage = ?") for table in DRAFTS if table != _VERDICTS]
"""A verdict is given in the light of all other drafts, so two workspaces may well differ in it."""


@dataclass(frozen=True)
class Conflict:
    """Something that two workspaces know differently, and which was taken."""

    what: str
    name: str
    taken: str


class Merger:
    """Brings recordings from `other` into `main`, both on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._ask = connection.execute
        self.conflicts: list[Conflict] = []
        self._later_times: dict[str, list[tuple[str, str]]] = {}
        found = self._ask(
            "SELECT DISTINCT stage FROM main.results UNION SELECT DISTINCT stage FROM other.results UNION SELECT DISTINCT stage FROM other.failures"
        )
        stages = ", ".join("'" + row[0].replace("'", "''") + "'" for row in found)
        self._of_item = f"stage IN ({stages}) AND item = ?"  # with the stages said, the primary key finds an item
        self._of_items = f"stage IN ({stages}) AND item >= ? AND item < ?"

    def brings_news(self, recording: str) -> bool:
        """Whether `other` holds any row of the recording that `main` does not."""
        rows = [*self._rows(recording), ("sources", "recording = ?", (recording,))]
        return any(self._only_in("other", "main", table, where, values) for table, where, values in rows)

    def is_new(self, recording: str) -> bool:
        """Whether `main` knows nothing of the recording at all."""
        return not any(self._exists("main", table, where, values) for table, where, values in self._rows(recording))

    def choose_cut(self, recording: str) -> Side:
        """Whose passages to keep; what both have is ours."""
        if not self._exists("other", "recordings", "id = ?", (recording,)):
            return "ours"
        if not self._exists("main", "recordings", "id = ?", (recording,)):
            return "theirs"
        if not self._theirs_is_more(_CUT_COMPARED, recording):
            self._note_later_times(recording)
            return "ours"
        if not self._ours_is_more(_CUT_COMPARED, recording):
            self._note_later_times(recording)
            return "theirs"
        of_passages = "SELECT 1 FROM {schema}.passages WHERE recording = ? AND " + is_in_hands("id", "{schema}")
        side, why = self._prefer(of_passages, _CUT_COMPARED, recording)
        self.conflicts.append(
            Conflict("cut, or summarized as a whole, differently", self._name(recording), f"{side}: {why}")
        )
        return side

    def take_recording(self, recording: str) -> None:
        """All that stages made of a recording that `main` knows nothing of."""
        for table, where, values in self._rows(recording):
            if table not in PEOPLE:
                self._copy(table, where, values)

    def take_cut(self, recording: str) -> None:
        """Their passages and all that is known of the recording as a whole, in place of ours."""
        for table, owner in CUT:
            self._replace(table, f"{owner} = ?", (recording,))
        for table in BOOKS:
            self._replace(table, self._of_item, (recording,))

    def take_drafts(self, recording: str) -> None:
        """The draft of each passage, from the side it is chosen from, whichever cut was chosen."""
        within = "SELECT passage FROM other.{table} WHERE passage >= ? AND passage < ?"
        union = " UNION ".join(within.format(table=table) for table in DRAFTS)
        query = f"{union} UNION SELECT item FROM other.results WHERE {self._of_items}"
        for (passage,) in self._ask(query, id_range(recording) * (len(DRAFTS) + 1)).fetchall():
            if self._choose_draft(passage) == "theirs":
                for table in DRAFTS:
                    self._replace(table, "passage = ?", (passage,))
                for table in BOOKS:
                    self._replace(table, self._of_item, (passage,))
            self.take_times(passage)

    def take_times(self, item: str) -> None:
        """Give a result that both have the later of its two times. With the earlier one, a third workspace's result
        from between the two would be taken now, and given up when the same workspaces are merged again."""
        for time, stage in self._later_times.pop(item, ()):
            self._ask("UPDATE main.results SET finished_at = ? WHERE stage = ? AND item = ?", (time, stage, item))

    def take_people(self, recording: str) -> None:
        """All reviews and tasks; of two settled answers the one that people gave, else the newer."""
        first, last = id_range(recording)
        within = "passage >= ? AND passage < ?"
        for table, key in (
            ("reviews", "o.id = m.id"),
            ("tasks", "(o.place, o.project, o.task) = (m.place, m.project, m.task)"),
        ):
            differing = f"""SELECT m.passage FROM other.{table} o JOIN main.{table} m ON {key}
                            WHERE o.passage >= ? AND o.passage < ? AND {_differ(self._columns(table))}"""
            for (passage,) in self._ask(differing, (first, last)).fetchall():
                self.conflicts.append(Conflict(f"{table} under one number that say different things", passage, "ours"))
            self._copy(table, within, (first, last), how="INSERT OR IGNORE")
        theirs, ours = (
            f"({s}.reviews <> '[]', {s}.resolved_at, {', '.join(self._texts(s, 'resolved'))})" for s in "om"
        )
        newer = f"""SELECT o.* FROM other.resolved o LEFT JOIN main.resolved m ON m.passage = o.passage
                    WHERE o.passage >= ? AND o.passage < ? AND (m.passage IS NULL OR {theirs} > {ours})"""
        self._ask(f"INSERT OR REPLACE INTO main.resolved {newer}", (first, last))

    def take_sources(self, recording: str) -> None:
        """The files the recording came in. A path that is another recording here is kept under a name that says so."""
        for row in self._ask("SELECT * FROM other.sources WHERE recording = ?", (recording,)).fetchall():
            path = row["path"]
            mine = self._ask("SELECT recording, metadata FROM main.sources WHERE path = ?", (path,)).fetchone()
            if mine and mine["recording"] not in (None, recording):
                self.conflicts.append(Conflict("one path, two recordings", path, f"both; theirs as {path}#{recording}"))
                self._take_source(path, f"{path}#{recording}")
                continue
            if not mine or mine["recording"] is None:
                self._take_source(path, path)
            if mine:
                self._describe(path, json.loads(mine["metadata"]), json.loads(row["metadata"]))

    def _describe(self, path: str, ours: dict[str, str], theirs: dict[str, str]) -> None:
        """What a curator knows of a file: ours, and of theirs what we do not know."""
        if any(theirs.get(key, value) != value for key, value in ours.items()):
            self.conflicts.append(Conflict("described differently", path, "ours"))
        told = json.dumps({**theirs, **ours}, ensure_ascii=False)
        self._ask("UPDATE main.sources SET metadata = ? WHERE path = ? AND metadata <> ?", (told, path, told))

    def _take_source(self, path: str, name: str) -> None:
        query = "INSERT OR REPLACE INTO main.sources SELECT ?, size, mtime_ns, recording, metadata FROM other.sources"
        if self._exists("main", "sources", "path = ? AND recording IS NOT NULL", (name,)):
            return
        self._ask(f"{query} WHERE path = ?", (name, path))
        self._ask(f"DELETE FROM main.failures WHERE stage = '{INGEST}' AND item = ?", (name,))
        for table in BOOKS:
            rest = ", ".join(column for column in self._columns(table) if column not in ("stage", "item"))
            books = f"SELECT stage, ?, {rest} FROM other.{table} WHERE stage = '{INGEST}' AND item = ?"
            self._ask(f"INSERT OR IGNORE INTO main.{table} (stage, item, {rest}) {books}", (name, path))

    def _choose_draft(self, passage: str) -> Side:
        if not self._theirs_is_more(_DRAFT_COMPARED, passage):
            self._note_later_times(passage)
            return "ours"
        if not self._ours_is_more(_DRAFT_COMPARED, passage):
            self._note_later_times(passage)
            return "theirs"
        in_hands = "SELECT 1 WHERE " + is_in_hands("?1", "{schema}")
        side, why = self._prefer(in_hands, _DRAFT_COMPARED, passage)
        if self._is_wanted(passage):
            self.conflicts.append(Conflict("drafted differently", passage, f"{side}: {why}"))
        return side

    def _is_wanted(self, passage: str) -> bool:
        """Whether the passage is in the chosen cut, or people have worked on it."""
        hands = " OR ".join(is_in_hands("?1", schema) for schema in ("main", "other"))
        query = f"SELECT 1 WHERE ?1 IN (SELECT id FROM main.passages) OR {hands}"
        return self._ask(query, (passage,)).fetchone() is not None

    def _theirs_is_more(self, compared: list[tuple[str, str]], item: str) -> bool:
        return self._is_more("other", "main", compared, item)

    def _ours_is_more(self, compared: list[tuple[str, str]], item: str) -> bool:
        return self._is_more("main", "other", compared, item)

    def _is_more(self, one: str, than: str, compared: list[tuple[str, str]], item: str) -> bool:
        """Whether one side has a row or a result that the other does not. When it was made is no difference."""
        if any(self._only_in(one, than, table, where, (item,)) for table, where in compared):
            return True
        result = f"SELECT stage, fingerprint, made FROM {{}}.results WHERE {self._of_item}"
        query = f"{result.format(one)} EXCEPT {result.format(than)}"
        return self._ask(query, (item, item)).fetchone() is not None

    def _note_later_times(self, item: str) -> None:
        """Note when the results that both have were made last: the time that `take_times` gives them."""
        result = f"SELECT stage, fingerprint, made, finished_at FROM {{}}.results WHERE {self._of_item}"
        query = f"""SELECT max(finished_at), stage FROM ({result.format("main")} UNION ALL {result.format("other")})
                    GROUP BY stage, fingerprint, made HAVING min(finished_at) <> max(finished_at)"""
        self._later_times[item] = [(time, stage) for time, stage in self._ask(query, (item, item))]

    def _prefer(self, in_hands: str, compared: list[tuple[str, str]], item: str) -> tuple[Side, str]:
        """The side that people have worked on, else the newer, else the one whose content has the greater digest."""
        ours, theirs = (self._ask(in_hands.format(schema=s), (item,)).fetchone() is not None for s in ("main", "other"))
        if ours != theirs:
            return ("ours" if ours else "theirs"), "people have worked on it"
        newest = f"SELECT coalesce(max(finished_at), '') FROM {{}}.results WHERE {self._of_item}"
        mine, other = (self._ask(newest.format(s), (item,)).fetchone()[0] for s in ("main", "other"))
        if mine != other:
            return ("theirs" if other > mine else "ours"), "the newer"
        mine, other = (self._digest(schema, compared, item) for schema in ("main", "other"))
        return ("theirs" if other > mine else "ours"), "as new as the other"

    def _digest(self, schema: str, compared: list[tuple[str, str]], item: str) -> str:
        """A hash of what is compared of one side."""
        queries = [f"SELECT * FROM {schema}.{table} WHERE {where}" for table, where in compared]
        queries.append(f"SELECT stage, fingerprint, made FROM {schema}.results WHERE {self._of_item}")
        rows = [sorted(repr(tuple(row)) for row in self._ask(query, (item,))) for query in queries]
        return hashlib.sha256(repr(rows).encode("utf-8", "surrogateescape")).hexdigest()

    def _only_in(self, one: str, than: str, table: str, where: str, values: tuple[str, ...]) -> bool:
        query = f"SELECT * FROM {one}.{table} WHERE {where} EXCEPT SELECT * FROM {than}.{table} WHERE {where}"
        return self._ask(query, values * 2).fetchone() is not None

    def _exists(self, schema: str, table: str, where: str, values: tuple[str, ...]) -> bool:
        return self._ask(f"SELECT 1 FROM {schema}.{table} WHERE {where}", values).fetchone() is not None

    def _replace(self, table: str, where: str, values: tuple[str, ...]) -> None:
        self._ask(f"DELETE FROM main.{table} WHERE {where}", values)
        self._copy(table, where, values)

    def _copy(self, table: str, where: str, values: tuple[str, ...], how: str = "INSERT OR REPLACE") -> None:
        self._ask(f"{how} INTO main.{table} SELECT * FROM other.{table} WHERE {where}", values)

    def _rows(self, recording: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """Where in each table the rows of a recording and its passages are; its sources are by path, and apart."""
        within = id_range(recording)
        cut = [(table, f"{owner} = ?", (recording,)) for table, owner in CUT]
        drafts = [(table, "passage >= ? AND passage < ?", within) for table in (*DRAFTS, *PEOPLE)]
        books = [(table, self._of_item, (recording,)) for table in BOOKS]
        return [*cut, *drafts, *books, *((table, self._of_items, within) for table in BOOKS)]

    def _columns(self, table: str) -> list[str]:
        return [row["name"] for row in self._ask(f"PRAGMA main.table_info({table})")]

    def _texts(self, name: str, table: str) -> list[str]:
        """The columns of a table, in a form that any two rows can be compared by."""
        return [f"coalesce({name}.\"{column}\", '')" for column in self._columns(table)]

    def _name(self, recording: str) -> str:
        return str(self._ask("SELECT name FROM main.recordings WHERE id = ?", (recording,)).fetchone()[0])


def _differ(columns: list[str]) -> str:
    return "(" + " OR ".join(f'o."{column}" IS NOT m."{column}"' for column in columns) + ")"
