"""A stretch: a passage or a segment with all that is known of it, which is what the columns of a row are read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aramega.publish.anonymous import Pseudonyms, public_answer, public_reviews
from aramega.records import Draft, DraftedPassage, ResolvedPassage, Review

Inventories = Mapping[str, Sequence[str]]
"""The classes of `dialect` and of `emotion`."""


@dataclass(frozen=True)
class Stretch:
    """What a row is about."""

    id: str
    start: float
    end: float
    """In seconds of the recording."""
    text: str
    """What is said in it, as it was settled."""
    drafted: DraftedPassage
    """The passage, or the one that the segment lies in."""
    resolved: ResolvedPassage
    inventories: Inventories
    reviews: tuple[Review, ...] = ()
    """As they may be published."""
    answer: ResolvedPassage | None = None
    """What people settled, as it may be published."""
    whole_draft: str | None = None
    """All that machines wrote, as JSON, where it is asked for."""


def passage_stretch(drafted: DraftedPassage, resolved: ResolvedPassage, inventories: Inventories) -> Stretch:
    """The whole passage, with its settled transcript."""
    passage = drafted.passage
    return Stretch(passage.id, passage.start, passage.end, resolved.transcript.value, drafted, resolved, inventories)


def segment_stretches(passage: Stretch) -> Iterator[Stretch]:
    """The passage's segments in which something is said.

    A corrected transcript that was not laid back onto the segments gives none: nobody knows which words are whose.
    """
    for line in passage.resolved.lines:
        start, end = max(line.start, passage.start), min(line.end, passage.end)
        if line.text.strip() and end > start:
            # `replace` would look up every field by name, and segments come by the million.
            yield Stretch(line.segment, start, end, line.text, passage.drafted, passage.resolved, passage.inventories)


def public_stretch(
    passage: Stretch, reviews: Sequence[Review], pseudonyms: Pseudonyms, whole_draft: str | None
) -> Stretch:
    """The passage with what people said of it, as it may be published; of a rejected passage no text, only why."""
    resolved, draft = passage.resolved, passage.drafted.draft
    return replace(
        passage,
        drafted=passage.drafted if resolved.accepted else replace(passage.drafted, draft=Draft(verdict=draft.verdict)),
        reviews=tuple(public_reviews(reviews, pseudonyms, accepted=resolved.accepted)),
        answer=public_answer(resolved, pseudonyms) if resolved.reviews else None,
        whole_draft=whole_draft if resolved.accepted else None,
    )
