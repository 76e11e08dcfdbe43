"""Conditions: an SQL expression that somebody typed may read the facts of passages, and can do nothing else.

It runs under SQLite's authorizer, which is asked for each table, column and function a statement names: another
table, a statement that writes, a recursion without end and functions that open files or fill the memory are refused.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FACTS = "passage_facts"
"""The view with a row a passage that conditions are about."""

_REFUSED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "zeroblob", "randomblob", "fts3_tokenizer"}


def check_condition(connection: sqlite3.Connection, where: str) -> None:
    """Raise `sqlite3.Error` unless `where` is one expression: text that closes our bracket and goes on does not fit into
    both places that an expression fits into."""
    for query in (f"SELECT ({where}\n) FROM {FACTS}", f"SELECT 1 FROM {FACTS} WHERE ({where}\n)"):  # noqa: S608
        try:
            connection.execute(f"EXPLAIN {query}").fetchall()
        except sqlite3.Warning as error:  # several statements; no sqlite3.Error before Python 3.12
            raise sqlite3.ProgrammingError(str(error)) from None


@contextmanager
def reading_facts_only(connection: sqlite3.Connection) -> Iterator[None]:
    """Statements inside may read the view of facts, and nothing else."""
    connection.set_authorizer(_authorize)
    try:
        yield
    finally:
        connection.set_authorizer(None if sys.version_info >= (3, 11) else _allow)


def _authorize(action: int, first: str | None, second: str | None, _: str | None, view: str | None) -> int:
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and FACTS in (first, view):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second not in _REFUSED_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _allow(*_: object) -> int:
    return sqlite3.SQLITE_OK
