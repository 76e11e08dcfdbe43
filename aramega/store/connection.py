"""Connecting to a workspace's database, whatever state its disk is in, and writing all of something or nothing."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aramega.records import AramegaError
from aramega.workspace import database_address


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # a disk in trouble, not a file of another kind
        raise
    except sqlite3.DatabaseError as error:
        raise AramegaError(f"{path}: cannot be opened as a workspace's database ({error}).") from None
    return connection


def use_wal(connection: sqlite3.Connection, patience: float = 30.0) -> None:
    """Turning WAL on asks for the file alone, and SQLite does not wait for that by itself."""
    until = time.monotonic() + patience
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """As `connect`, but a workspace on a read-only disk will do: nobody else can be writing there."""
    try:
        return connect(path)
    except sqlite3.OperationalError:
        if os.access(path.parent, os.W_OK):
            raise
        return sqlite3.connect(database_address(path), uri=True, isolation_level=None)


def connect_to_both(main: Path, other: Path) -> sqlite3.Connection:
    """One connection to a database that is written to and another that is read beside it, as `other`."""
    connection = sqlite3.connect(main.absolute().as_uri(), uri=True, timeout=30, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("ATTACH ? AS other", (database_address(other),))
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or none of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
