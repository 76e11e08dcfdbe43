"""Reviews in the store: added and never changed, and what was settled from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aramega.records import ResolvedPassage, Review, in_time
from aramega.store.database import Store
from aramega.store.rows import add_rows, replace_rows, revive


def add_reviews(store: Store, reviews: Iterable[Review]) -> int:
    """Keep the reviews that are not there yet; how many those were."""
    before = store.connection.total_changes
    with store.transaction():
        add_rows(store.connection, Review, reviews)
    return store.connection.total_changes - before


def reviews_of(store: Store, passage: str) -> list[Review]:
    """Everything people said of the passage, the oldest first."""
    rows = store.connection.execute("SELECT * FROM reviews WHERE passage = ?", (passage,))
    return in_time(revive(Review, row) for row in rows)


def reviewed_passages(store: Store) -> list[str]:
    """The passages anyone has said anything of."""
    return [row[0] for row in store.connection.execute("SELECT DISTINCT passage FROM reviews ORDER BY passage")]


def count_unreviewed(store: Store) -> dict[str, int]:
    """How many drafts nobody has sent a review of yet, by decision."""
    query = """SELECT v.decision, count(*) FROM verdicts v JOIN passages p ON p.id = v.passage
               WHERE NOT EXISTS (SELECT 1 FROM reviews r WHERE r.passage = v.passage AND r.state = 'submitted')
               GROUP BY v.decision ORDER BY v.decision"""
    return dict(store.connection.execute(query).fetchall())


def write_resolved(store: Store, resolved: Iterable[ResolvedPassage]) -> None:
    with store.transaction():
        for one in resolved:
            replace_rows(store.connection, ResolvedPassage, one.passage, [one])


def resolved_of(store: Store, passage: str) -> ResolvedPassage | None:
    row = store.connection.execute("SELECT * FROM resolved WHERE passage = ?", (passage,)).fetchone()
    return revive(ResolvedPassage, row) if row else None


def all_resolved(store: Store) -> Iterator[ResolvedPassage]:
    for row in store.connection.execute("SELECT * FROM resolved ORDER BY passage"):
        yield revive(ResolvedPassage, row)
