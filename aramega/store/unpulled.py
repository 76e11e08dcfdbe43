"""Unpulled tasks: passages that were sent to a Label Studio and have no review here.

What people have done with them since the last pull lies in that server's database, and no copy of the workspace holds
it. The server is not asked: it may be off, and a backup must not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from aramega.store.database import Store


@dataclass(frozen=True)
class Unpulled:
    """One project's tasks without a review."""

    place: str
    project: int
    title: str
    tasks: int
    pulled_at: str
    """When the project was pulled last; empty if never."""


def find_unpulled(store: Store) -> list[Unpulled]:
    """The projects with tasks whose passages nobody's submitted review is here of, in the order of their names."""
    query = """SELECT t.place, t.project, coalesce(p.title, ''), count(*), coalesce(p.since, '')
               FROM tasks t LEFT JOIN projects p ON p.place = t.place AND p.project = t.project
               WHERE NOT EXISTS (SELECT 1 FROM reviews r WHERE r.passage = t.passage AND r.state = 'submitted')
               GROUP BY t.place, t.project ORDER BY t.place, t.project"""
    return [Unpulled(*row) for row in store._connection.execute(query)]
