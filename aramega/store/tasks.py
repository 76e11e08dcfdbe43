"""Tasks that were sent to a Label Studio: which passage each one shows, and up to when its project was pulled.

These rows save questions and notice edits; they never decide what is on the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aramega.records import timestamp
from aramega.store.database import Store


@dataclass(frozen=True)
class SentTask:
    """A task on a server, the passage it shows and the fingerprint of the draft in it."""

    task: int
    passage: str
    draft: str


def note_tasks(store: Store, server: str, project: int, tasks: Iterable[SentTask]) -> None:
    """Write down which task a passage became, and which draft it shows."""
    now = timestamp()
    rows = ((server, project, t.task, t.passage, t.draft, now) for t in tasks)
    with store.transaction():
        store._connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?)", rows)


def forget_tasks(store: Store, server: str, project: int, tasks: Iterable[int]) -> None:
    """Drop the notes of tasks that are no longer on the server."""
    with store.transaction():
        query = "DELETE FROM tasks WHERE place = ? AND project = ? AND task = ?"
        store._connection.executemany(query, ((server, project, task) for task in tasks))


def noted_tasks(store: Store, server: str, project: int) -> dict[int, str]:
    """Every task we sent there, and its passage."""
    query = "SELECT task, passage FROM tasks WHERE place = ? AND project = ?"
    return {row["task"]: row["passage"] for row in store._connection.execute(query, (server, project))}


def sent_passages(store: Store) -> set[str]:
    """The passages that became tasks anywhere."""
    return {row[0] for row in store._connection.execute("SELECT DISTINCT passage FROM tasks")}


def pulled_until(store: Store, server: str, project: int) -> str:
    """Up to when, by the server's clock, all work has been taken; empty before the first pull."""
    query = "SELECT since FROM projects WHERE place = ? AND project = ?"
    row = store._connection.execute(query, (server, project)).fetchone()
    return str(row[0] or "") if row else ""


def note_pulled(store: Store, server: str, project: int, title: str, until: str) -> None:
    """Write down up to when all of a project's work has been taken."""
    with store.transaction():
        store._connection.execute(
            "INSERT OR REPLACE INTO projects VALUES (?, ?, ?, ?)", (server, project, title, until)
        )
