"""Which reviews stand: each annotator's last submitted word on a passage, and what it answers.

A correction supersedes what the same annotator said before; the earlier review stays in the store and is no
longer counted. What was skipped or only begun (`draft`) settles nothing, and takes nothing back either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aramega.records import ResolvedPassage, Review, in_time

TEXTS = ("transcript", "summary", "title")
LABELS = ("dialect", "emotion")
FIELDS = (*TEXTS, *LABELS)


def standing(reviews: Iterable[Review]) -> list[Review]:
    """Each annotator's latest submitted review, the oldest first."""
    last: dict[str, Review] = {}
    for review in in_time(r for r in reviews if r.state == "submitted"):
        last[review.annotator] = review
    return in_time(last.values())


def has_unresolved_reviews(reviews: Iterable[Review], resolved: ResolvedPassage | None) -> bool:
    """Whether an annotator's last word is not among the reviews that the answer was settled from."""
    return not {review.id for review in standing(reviews)} <= set(resolved.reviews if resolved else ())


def answer(review: Review, field: str) -> str | None:
    """What the review says of a field; None where its annotator was not asked or left it alone."""
    if field == "transcript":
        return transcript_of(review)
    text: str | None = getattr(review, field)
    # No label chosen is no answer; a text that was emptied is one, and a bad one.
    return text or None if field in LABELS else text


def transcript_of(review: Review) -> str | None:
    """The whole passage's words: of its regions in their order, where it was transcribed region by region."""
    if review.regions:
        regions = sorted(review.regions, key=lambda r: (r.start, r.end))
        return " ".join(" ".join(r.text.split()) for r in regions if r.text.split())
    return review.transcript


def is_rejection(review: Review) -> bool:
    return review.verdict == "reject"


def asked(reviews: Sequence[Review], field: str) -> list[tuple[Review, str]]:
    """The reviews that answer a field, with their answers. A passage someone rejects, they did not correct: what
    stands in its fields is the machine's, and no answer."""
    answers = ((r, answer(r, field)) for r in reviews if not is_rejection(r))
    return [(review, text) for review, text in answers if text is not None]
