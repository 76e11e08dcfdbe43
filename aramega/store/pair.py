"""Two workspaces' databases on one connection: `main`, which is merged into, and `other`, which is read.

What is compared, copied or replaced here is any table's rows; which rows, and why, the modules beside this one say.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

import sqlite3
from typing import Literal, NamedTuple

from aramega.store.clips import id_range
from aramega.store.rows import BOOKS, CUT, DRAFTS, PEOPLE

Schema = Literal["main", "other"]


class Rows(NamedTuple):
    """Rows of a table: an SQL condition and its values."""

    table: str
    where: str
    values: tuple[str, ...]


class Pair:
    """Asks and writes both databases. Who writes holds the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.ask = connection.execute
        stages = self.ask(
            "SELECT DISTINCT stage FROM main.results UNION SELECT DISTINCT stage FROM other.results UNION SELECT DISTINCT stage FROM other.failures"
        )
        names = ", ".join("'" + row[0].replace("'", "''") + "'" for row in stages)
        self.of_item = f"stage IN ({names}) AND item = ?"  # with the stages named, the primary key finds an item
        self.of_items = f"stage IN ({names}) AND item >= ? AND item < ?"

    def rows_of(self, recording: str) -> list[Rows]:
        """The rows of a recording and its passages, in each table; its sources are by path, and apart."""
        within = id_range(recording)
        cut = [Rows(table, f"{owner} = ?", (recording,)) for table, owner in CUT]
        drafts = [Rows(table, "passage >= ? AND passage < ?", within) for table in (*DRAFTS, *PEOPLE)]
        books = [Rows(table, self.of_item, (recording,)) for table in BOOKS]
        return [*cut, *drafts, *books, *(Rows(table, self.of_items, within) for table in BOOKS)]

    def are_in(self, schema: Schema, rows: Rows) -> bool:
        """Whether there is any such row."""
        return self.ask(f"SELECT 1 FROM {schema}.{rows.table} WHERE {rows.where}", rows.values).fetchone() is not None

    def are_beyond(self, schema: Schema, rows: Rows) -> bool:
        """Whether one side has such a row that the other does not."""
        query = f"SELECT * FROM {schema}.{rows.table} WHERE {rows.where}"
        without = f"SELECT * FROM {opposite(schema)}.{rows.table} WHERE {rows.where}"
        return self.ask(f"{query} EXCEPT {without}", rows.values * 2).fetchone() is not None

    def copy(self, rows: Rows) -> None:
        """Bring their rows into ours, each in place of the one with its key."""
        self.ask(f"INSERT OR REPLACE INTO main.{rows.table} {_select(rows)}", rows.values)

    def add(self, rows: Rows) -> None:
        """Bring those of their rows into ours whose key is new."""
        self.ask(f"INSERT OR IGNORE INTO main.{rows.table} {_select(rows)}", rows.values)

    def replace(self, rows: Rows) -> None:
        """Have their rows in place of all such rows of ours."""
        self.ask(f"DELETE FROM main.{rows.table} WHERE {rows.where}", rows.values)
        self.copy(rows)

    def columns(self, table: str) -> list[str]:
        return [row["name"] for row in self.ask(f"PRAGMA main.table_info({table})")]


def opposite(schema: Schema) -> Schema:
    return "main" if schema == "other" else "other"


def _select(rows: Rows) -> str:
    return f"SELECT * FROM other.{rows.table} WHERE {rows.where}"
