"""Reviews in the store: added and never changed, and what was settled from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from aramega.records import ResolvedPassage, Review, in_time
from aramega.store.database import Store
from aramega.store.rows import add_rows, replace_rows, revive


def add_reviews(store: Store, reviews: Iterable[Review]) -> int:
    """Keep the reviews that are not there yet; how many those were."""
    before = store._connection.total_changes
    with store.transaction():
        add_rows(store._connection, Review, reviews)
    return store._connection.total_changes - before


class ReviewTrial:
    """Counts the reviews that `add_reviews` would add, and adds none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: set[str] = set()

    def add(self, reviews: Sequence[Review]) -> int:
        """How many of these are not there yet, nor among those asked about before."""
        new = {review.id for review in reviews} - self._seen
        self._seen |= new
        query = "SELECT count(*) FROM reviews WHERE id IN (SELECT value FROM json_each(?))"
        present: int = self._store._connection.execute(query, (json.dumps(sorted(new)),)).fetchone()[0]
        return len(new) - present


def reviews_of(store: Store, passage: str) -> list[Review]:
    """Everything people said of the passage, the oldest first."""
    return load_reviews(store, [passage])[passage]


def load_reviews(store: Store, passages: Sequence[str]) -> dict[str, list[Review]]:
    """Everything people said of each of the passages, the oldest first."""
    query = "SELECT r.* FROM json_each(?) v CROSS JOIN reviews r ON r.passage = v.value"
    reviews: dict[str, list[Review]] = {passage: [] for passage in passages}
    for row in store._connection.execute(query, (json.dumps(list(reviews)),)):
        reviews[row["passage"]].append(revive(Review, row))
    return {passage: in_time(theirs) for passage, theirs in reviews.items()}


def gold_passages(store: Store) -> list[str]:
    """The passages of this workspace whose answer is known, by id."""
    query = (
        "SELECT DISTINCT passage FROM reviews WHERE gold = 1 AND passage IN (SELECT id FROM passages) ORDER BY passage"
    )
    return [row[0] for row in store._connection.execute(query)]


def reviewed_passages(store: Store) -> list[str]:
    """The passages anyone has said anything of."""
    return [row[0] for row in store._connection.execute("SELECT DISTINCT passage FROM reviews ORDER BY passage")]


def count_unreviewed(store: Store) -> dict[str, int]:
    """How many drafts nobody has sent a review of yet, by decision."""
    query = """SELECT v.decision, count(*) FROM verdicts v JOIN passages p ON p.id = v.passage
               WHERE NOT EXISTS (SELECT 1 FROM reviews r WHERE r.passage = v.passage AND r.state = 'submitted')
               GROUP BY v.decision ORDER BY v.decision"""
    return dict(store._connection.execute(query).fetchall())


def write_resolved(store: Store, resolved: Iterable[ResolvedPassage]) -> None:
    """Keep the answers, in place of those there were."""
    with store.transaction():
        for passage in resolved:
            replace_rows(store._connection, ResolvedPassage, passage.passage, [passage])


def resolved_of(store: Store, passage: str) -> ResolvedPassage | None:
    """What was settled of the passage, if anything was."""
    return load_resolved(store, [passage]).get(passage)


def load_resolved(store: Store, passages: Sequence[str]) -> dict[str, ResolvedPassage]:
    """What was settled of those of the passages that were settled."""
    query = "SELECT r.* FROM json_each(?) v CROSS JOIN resolved r ON r.passage = v.value"
    rows = store._connection.execute(query, (json.dumps(list(passages)),))
    return {row["passage"]: revive(ResolvedPassage, row) for row in rows}


def all_resolved(store: Store) -> Iterator[ResolvedPassage]:
    for row in store._connection.execute("SELECT * FROM resolved ORDER BY passage"):
        yield revive(ResolvedPassage, row)
