"""Connecting to a workspace's database, whatever state its disk is in."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from aramega.records import AramegaError


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
    """As `_connect`, but a workspace on a read-only disk will do: nobody else can be writing there."""
    try:
        return connect(path)
    except sqlite3.OperationalError:
        if os.access(path.parent, os.W_OK):
            raise
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
