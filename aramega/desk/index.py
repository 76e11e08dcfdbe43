"""The index: entries in a temporary SQLite file, streamed in once, then searched a page at a time.

Three tables, so that a search touches little: `facts` is narrow and holds what is filtered and sorted by,
`words` is a contentless FTS5 index of the folded texts, `shown` holds the entries themselves, compressed,
of which only the page that is asked for is read. Where SQLite was built without FTS5, the folded texts are
kept and scanned instead: slower, with the same answers.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aramega.desk.entries import TEXTS, Entry
from aramega.desk.query import FILTERS, PROCLITICS, SHORTEST_OPEN, Query, Wanted, fold, read_text
from aramega.publish.as_json import to_json, values_of
from aramega.records import AramegaError, from_dict

TABLES = """
CREATE TABLE facts (
    number INTEGER PRIMARY KEY, id TEXT, dialect TEXT, emotion TEXT, decision TEXT, verified TEXT, split TEXT,
    score REAL, changed REAL, seconds REAL, priority REAL
);
CREATE TABLE shown (number INTEGER PRIMARY KEY, entry BLOB);
"""
FTS_TABLE = """CREATE VIRTUAL TABLE words USING
    fts5(text, content = '', detail = full, tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'")"""
PLAIN_TABLE = "CREATE TABLE words (rowid INTEGER PRIMARY KEY, text TEXT)"
ORDERS = {"place": "number", "score": "score", "changed": "changed", "seconds": "seconds", "priority": "priority"}
Say = Callable[[int], None]


@dataclass(frozen=True)
class SearchResult:
    total: int
    entries: tuple[Entry, ...]


class Index:
    """A finished index; any thread may ask it."""

    def __init__(self, path: Path, *, has_fts5: bool) -> None:
        self.path = path
        self.has_fts5 = has_fts5

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            yield connection

    def search(self, query: Query) -> SearchResult:
        where, values = self._conditions(query)
        order = f"{ORDERS[query.sort]} {'DESC' if query.down else 'ASC'} NULLS LAST, number"
        page = f"SELECT number FROM facts WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        with self._reading() as connection:
            (total,) = connection.execute(f"SELECT count(*) FROM facts WHERE {where}", values).fetchone()  # noqa: S608
            numbers = [row[0] for row in connection.execute(page, (*values, query.count, query.first))]
            return SearchResult(total, tuple(_read(connection, number) for number in numbers))

    def entry(self, number: str) -> Entry:
        with self._reading() as connection:
            row = connection.execute("SELECT number FROM facts WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise AramegaError(f"{number}: no such passage here.")
            return _read(connection, row[0])

    def entries(self) -> Iterator[Entry]:
        with self._reading() as connection:
            for (content,) in connection.execute("SELECT entry FROM shown ORDER BY number"):
                yield _unpack(content)

    def count(self) -> int:
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM facts").fetchone()[0])

    def choices(self) -> dict[str, list[tuple[str, int]]]:
        """What each filter can be set to, and how many passages that would show, the most frequent first."""
        query = "SELECT {0}, count(*) FROM facts GROUP BY {0} ORDER BY count(*) DESC, {0}"
        with self._reading() as connection:
            return {name: connection.execute(query.format(name)).fetchall() for name in FILTERS}

    def knows(self, column: str) -> bool:
        """Whether any passage has a number there, so that sorting by it makes sense."""
        query = f"SELECT 1 FROM facts WHERE {ORDERS[column]} IS NOT NULL LIMIT 1"  # noqa: S608
        with self._reading() as connection:
            return connection.execute(query).fetchone() is not None

    def _conditions(self, query: Query) -> tuple[str, list[Any]]:
        conditions: list[str] = ["1"]
        values: list[Any] = []
        for name, value in query.chosen.items():
            conditions.append(f"{name} = ?")
            values.append(value)
        for bound, operator in ((query.low, ">="), (query.high, "<=")):
            if bound is not None:
                conditions.append(f"score {operator} ?")
                values.append(bound)
        wanted = read_text(query.text)
        if wanted.words or wanted.phrases:
            text, more = matching(wanted) if self.has_fts5 else scanning(wanted)
            conditions.append(f"number IN (SELECT rowid FROM words WHERE {text})")  # noqa: S608
            values += more
        return " AND ".join(conditions), values


def build_index(entries: Iterable[Entry], path: Path, say: Say = lambda _: None) -> Index:
    """Stream the entries into a new index, telling now and then how many are in."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # A temporary file that is made anew after any accident: nothing needs to survive one.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(TABLES)
        fts5 = has_fts5(connection)
        connection.execute(FTS_TABLE if fts5 else PLAIN_TABLE)
        connection.execute("BEGIN")
        for number, entry in enumerate(entries, start=1):
            _write(connection, number, entry)
            if number % 1000 == 0:
                say(number)
        connection.execute("CREATE INDEX facts_by_id ON facts (id)")
        connection.execute("COMMIT")
        return Index(path, has_fts5=fts5)


def has_fts5(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite was built with its full-text search."""
    return connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def matching(wanted: Wanted) -> tuple[str, list[str]]:
    """The condition on FTS5's table. Folded text has no signs, so nothing in it can be an operator."""
    parts = [f'"{phrase}"' for phrase in wanted.phrases]
    for word in wanted.words:
        if len(word) < SHORTEST_OPEN:
            parts.append(f'"{word}"')
        else:
            parts.append("(" + " OR ".join(f'"{before}{word}"*' for before in PROCLITICS) + ")")
    return "words MATCH ?", [" AND ".join(parts)]


def scanning(wanted: Wanted) -> tuple[str, list[str]]:
    """The same for a table of plain text, each word with a space on either side."""
    conditions, values = [], []
    for phrase in wanted.phrases:
        conditions.append("text LIKE ?")
        values.append(f"% {phrase} %")
    for word in wanted.words:
        forms = [f"% {word} %"] if len(word) < SHORTEST_OPEN else [f"% {before}{word}%" for before in PROCLITICS]
        conditions.append("(" + " OR ".join(["text LIKE ?"] * len(forms)) + ")")
        values += forms
    return " AND ".join(conditions), values


def searched_text(entry: Entry) -> str:
    """Everything that is searched of an entry, folded part by part, so that no phrase runs from one into the next."""
    voices = [entry.final, *([entry.draft] if entry.draft else [])]
    texts = [getattr(voice, name) or "" for voice in voices for name in TEXTS]
    parts = dict.fromkeys([*texts, *entry.topics, entry.name, *entry.about, entry.id])
    return f" {_SEAM} ".join(filter(None, map(fold, parts)))


_SEAM = "\ue000"
"""A letter of nobody's alphabet, between texts that have nothing to do with each other."""


def _write(connection: sqlite3.Connection, number: int, entry: Entry) -> None:
    final = entry.final
    facts: Sequence[Any] = (
        *(number, entry.id, final.dialect or "", final.emotion or "", entry.decision, entry.verification, entry.split),
        *(entry.score, entry.changed, entry.seconds, entry.priority),
    )
    connection.execute(f"INSERT INTO facts VALUES ({', '.join('?' * len(facts))})", facts)  # noqa: S608
    connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, f" {searched_text(entry)} "))
    content = to_json(values_of(entry)).encode()
    connection.execute("INSERT INTO shown VALUES (?, ?)", (number, zlib.compress(content, 1)))


def _read(connection: sqlite3.Connection, number: int) -> Entry:
    (content,) = connection.execute("SELECT entry FROM shown WHERE number = ?", (number,)).fetchone()
    return _unpack(content)


def _unpack(content: bytes) -> Entry:
    return from_dict(Entry, json.loads(zlib.decompress(content)))
