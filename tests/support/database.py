"""The connection of a workspace's database, for tests and benchmarks that look at rows or break them.

In the package only the store's room has it.
"""

from __future__ import annotations

import sqlite3

from aramega.store import Store


def connection_of(store: Store) -> sqlite3.Connection:
    return store._connection
