"""Our notes of what was sent where. They save questions and notice edits; they never decide what is on the server."""

from __future__ import annotations

from collections.abc import Iterable

from aramega.labelstudio.projects import RemoteTask
from aramega.records import timestamp
from aramega.store import Store


def note_tasks(store: Store, place: str, project: int, held: Iterable[RemoteTask]) -> None:
    """Write down which task a passage became, and which draft it shows."""
    now = timestamp()
    rows = ((place, project, h.task, h.passage, h.draft, now) for h in held)
    with store.transaction():
        store.connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?)", rows)


def forget_tasks(store: Store, place: str, project: int, tasks: Iterable[int]) -> None:
    with store.transaction():
        query = "DELETE FROM tasks WHERE place = ? AND project = ? AND task = ?"
        store.connection.executemany(query, ((place, project, task) for task in tasks))


def passage_of(store: Store, place: str, project: int, task: int) -> str:
    """The passage we sent as this task; empty if we did not."""
    query = "SELECT passage FROM tasks WHERE place = ? AND project = ? AND task = ?"
    row = store.connection.execute(query, (place, project, task)).fetchone()
    return str(row[0]) if row else ""


def noted_tasks(store: Store, place: str, project: int) -> dict[int, str]:
    """Every task we sent there, and its passage."""
    query = "SELECT task, passage FROM tasks WHERE place = ? AND project = ?"
    return {row["task"]: row["passage"] for row in store.connection.execute(query, (place, project))}


def pulled_until(store: Store, place: str, project: int) -> str:
    """Up to when, by the server's clock, all work has been taken; empty before the first pull."""
    query = "SELECT since FROM projects WHERE place = ? AND project = ?"
    row = store.connection.execute(query, (place, project)).fetchone()
    return str(row[0] or "") if row else ""


def note_pulled(store: Store, place: str, project: int, title: str, until: str) -> None:
    with store.transaction():
        store.connection.execute("INSERT OR REPLACE INTO projects VALUES (?, ?, ?, ?)", (place, project, title, until))
