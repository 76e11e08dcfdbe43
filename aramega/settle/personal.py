"""Personal data: a passage that one annotator flags for it is not published until a referee has cleared it.

The flag, and the reason for a rejection, weigh alike, and no majority outvotes them. It ends in one of two ways: the
annotator thinks again, which makes another review that stands in place of the first; or a referee, or whoever makes
gold, accepts the passage later than it was flagged, without the flag.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from aramega.records import ResolvedPassage, Review, moment
from aramega.records.choices import names_personal_data
from aramega.settle.standing import is_rejection, standing


def is_withheld(reviews: Sequence[Review], referees: Collection[str] = ()) -> bool:
    """Whether a review that stands flags the passage, and nobody who may has cleared it since."""
    last = standing(reviews)
    flagged = [moment(r.updated_at) for r in last if names_personal_data(r)]
    return bool(flagged) and not any(moment(r.updated_at) > max(flagged) for r in last if _clears(r, referees))


def stays_withheld(reviews: Sequence[Review], resolved: ResolvedPassage | None) -> bool:
    """The same, of a passage that was perhaps resolved: if that accepted it knowing every flag, it is cleared."""
    considered = set(resolved.reviews) if resolved and resolved.accepted else set()
    flagged = [r for r in standing(reviews) if names_personal_data(r)]
    return any(r.id not in considered for r in flagged) and is_withheld(reviews)


def _clears(review: Review, referees: Collection[str]) -> bool:
    may = review.gold or review.annotator in referees
    return may and bool(review.verdict) and not is_rejection(review) and not names_personal_data(review)
