"""Choices: what the labelling forms that come with aramega offer by name, as reviews keep it.

A form's wording is the lead's to change, in any language; these are the names its choices are stored under. What is
not among them may be anything an annotator wrote, so only these names are ever published.
"""

from __future__ import annotations

import re

from aramega.records.reviews import Review

PERSONAL_DATA = "personal data"
"""As a reason or as a flag: the passage is not published until a referee has cleared it."""
REASONS = (
    "unintelligible",
    "music or advert",
    "recitation or adhan",
    "wrong language",
    "cut",
    "no meaning by itself",
    PERSONAL_DATA,
    "other",
)
"""Why a passage is rejected."""
WHY_PREFERRED = ("more faithful", "more complete", "shorter", "better written")
"""Why one of two summaries is better."""
FLAGS = ("music", "overlap", "several speakers", "cut word", "other language", "unintelligible", PERSONAL_DATA)
"""What a person says of the passage besides its words."""
_RENAMED = {"wrong language": "other language"}
_OFFERED = frozenset((*REASONS, *WHY_PREFERRED, *FLAGS))
_PREFERENCE = re.compile(r"(?:prefers .+? to .+?|finds both summaries as good as each other)\. ")
"""What stands before the reasons where two summaries were compared; it names models, whose names may hold colons."""


def current_flag(name: str) -> str:
    """A flag under today's name: forms of before called a foreign sentence the wrong language."""
    return _RENAMED.get(name, name)


def chosen_reasons(reason: str) -> tuple[str, ...]:
    """The choices in a review's `reason`, which holds them first and, after a colon, what was remarked to them."""
    preference = _PREFERENCE.match(reason)
    chosen = reason[preference.end() if preference else 0 :].partition(":")[0]
    return tuple(name for name in chosen.split(", ") if name in _OFFERED)


def names_personal_data(review: Review) -> bool:
    """Whether its annotator flagged the passage for personal data, or rejected it because of some."""
    return PERSONAL_DATA in review.flags or PERSONAL_DATA in chosen_reasons(review.reason)
