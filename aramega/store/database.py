"""One connection to one workspace's database, and its transactions.

Only the driver of a build writes. SQLite in WAL mode lets `status` and `report` read meanwhile. What is asked of the
database stands in the other modules of this room, as functions that take a Store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from typing_extensions import Self

from aramega.records import AramegaError, Span
from aramega.store.connection import connect, connect_for_reading, transaction, use_wal
from aramega.store.schema import migrate
from aramega.workspace import WorkspaceFolder


class Store:
    """One connection to one workspace's database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.row_factory = sqlite3.Row
        self.music: dict[tuple[object, ...], Sequence[Span]] = {}
        """Of the recordings whose passages were loaded last: see `passages.load_passages`."""

    @classmethod
    def create_or_open(cls, workspace: WorkspaceFolder) -> Self:
        """For the driver of a build: the one that may write and bring old tables up to date."""
        workspace.root.mkdir(parents=True, exist_ok=True)
        connection = connect(workspace.database)
        use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        migrate(connection)
        return cls(connection)

    @classmethod
    def open(cls, workspace: WorkspaceFolder) -> Self:
        """For everyone else; a folder that is no workspace is said to be none."""
        if not workspace.database.exists():
            raise AramegaError(
                f"{workspace.root}: not a workspace (it has no aramega.db). `aramega build-ssum` makes one."
            )
        connection = connect_for_reading(workspace.database)
        migrate(connection)
        return cls(connection)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or none of it."""
        with transaction(self._connection):
            yield

    def copy_to(self, path: Path) -> None:
        """Copy the whole database into a file, by SQLite's own backup; inside a snapshot, as of that snapshot."""
        with closing(sqlite3.connect(path)) as copy:
            self._connection.backup(copy)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads inside see one moment of the workspace, whatever a build writes meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")
