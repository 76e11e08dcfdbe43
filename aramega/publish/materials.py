"""Materials: what the workspace holds of a recording's passages, read a recording at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aramega.records import DraftedPassage, Part, Recording, ResolvedPassage, Review
from aramega.store import Store
from aramega.store.items import passage_ids
from aramega.store.passages import load_passages
from aramega.store.reviews import load_resolved, load_reviews

PUBLISHED = Part.SEGMENTS | Part.DRAFT
"""What a published row is made from: no music, so that no recording's timeline is read."""


@dataclass(frozen=True)
class Material:
    """A passage, its draft, what people said and what was settled."""

    drafted: DraftedPassage
    resolved: ResolvedPassage | None
    reviews: tuple[Review, ...]


def read_materials(store: Store, recording: Recording) -> Iterator[Material]:
    """A recording's passages in the order of time."""
    passages = passage_ids(store, recording.id)
    reviews, resolved = load_reviews(store, passages), load_resolved(store, passages)
    for drafted in load_passages(store, passages, PUBLISHED):
        yield Material(drafted, resolved.get(drafted.id), tuple(reviews[drafted.id]))
