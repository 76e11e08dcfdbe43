"""What people say of a passage, and what is settled from it.

A review is never changed: an annotator who thinks again makes another one. A resolved passage says field
by field what the answer is, whether a person gave it, and how it was chosen among several.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

ReviewState = Literal["submitted", "skipped", "draft"]

_NEVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a passage that an annotator transcribed by itself, in seconds of the recording."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """What one annotator said of one passage at one time; None for what they were not asked or left alone."""

    id: str
    """The place it was made in, its number there and its last change: pulling it again finds the same id."""
    passage: str
    annotator: str
    state: ReviewState
    updated_at: str
    created_at: str = ""
    verdict: str = ""
    """accept, fix or reject."""
    reason: str = ""
    transcript: str | None = None
    summary: str | None = None
    title: str | None = None
    dialect: str | None = None
    emotion: str | None = None
    flags: tuple[str, ...] = ()
    confidence: int | None = None
    regions: tuple[Region, ...] = ()
    seconds_spent: float | None = None
    draft: str = ""
    """Fingerprint of the draft the annotator was shown."""
    place: str = ""
    """The server and task, as a link; or the file it was imported from."""
    gold: bool = False
    """Made by someone whose word settles it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One field's answer, and how it came about."""

    value: str
    verified: bool = False
    """A person gave or confirmed it."""
    how: str = "draft"
    """The policy that chose it: draft, single, majority, gold, trusted, referee."""
    annotators: tuple[str, ...] = ()
    distance: float | None = None
    """Character edits from the draft, per character of the longer, as typed; for a label 0 (the same) or 1 (another).
    None where nobody answered, or there was no draft or no text."""


@dataclass(frozen=True, slots=True)
class SettledLine:
    """The settled transcript of one segment."""

    segment: str
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class ResolvedPassage:
    """Draft and reviews settled into one answer per field."""

    passage: str
    accepted: bool
    reason: str = ""
    """Why it was not accepted."""
    transcript: Settled = field(default_factory=lambda: Settled(""))
    summary: Settled = field(default_factory=lambda: Settled(""))
    title: Settled = field(default_factory=lambda: Settled(""))
    dialect: Settled = field(default_factory=lambda: Settled(""))
    emotion: Settled = field(default_factory=lambda: Settled(""))
    topics: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    lines: tuple[SettledLine, ...] = ()
    reviews: tuple[str, ...] = ()
    """Ids of the reviews it was settled from; empty where nobody has looked."""
    resolved_at: str = ""


def in_time(reviews: Iterable[Review]) -> list[Review]:
    """The reviews by the time of their last change, the oldest first; two of the same moment by id.

    The one order of reviews: text order is not time order, for servers write `Z` and other offsets, and ours `+00:00`.
    """
    return sorted(reviews, key=lambda review: (moment(review.updated_at), review.id))


def moment(text: str) -> datetime:
    """When that was. What is no time at all counts as the earliest."""
    try:
        when = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return _NEVER
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)
