"""Entries: what the explorer shows of one passage, wherever it was read from.

A passage is told by voices: the machine's draft, every reviewer, and the final answer. A `Library` (a
workspace or a published folder) gives entries one by one and the sound of any of them on demand, so that
search, page and server need not know where they come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from aramega.records import Review
from aramega.settle.standing import transcript_of

TEXTS = ("title", "summary", "transcript")
LABELS = ("dialect", "emotion")

Verified = Literal["whole", "part", "none"]


@dataclass(frozen=True, slots=True)
class Voice:
    """What one voice says of a passage; None for what it does not speak of."""

    who: str
    title: str | None = None
    summary: str | None = None
    transcript: str | None = None
    dialect: str | None = None
    emotion: str | None = None
    note: str = ""
    """How it came about, for people: a verdict and its reason, or the policy that settled it."""


@dataclass(frozen=True, slots=True)
class Entry:
    id: str
    final: Voice
    """The settled answer, or the draft where nobody has settled one."""
    draft: Voice | None = None
    reviews: tuple[Voice, ...] = ()
    """The oldest first."""
    topics: tuple[str, ...] = ()
    split: str = ""
    """Empty in a workspace, and for a draft that was not published."""
    decision: str = ""
    reasons: tuple[str, ...] = ()
    accepted: bool | None = None
    """Whether people took it into the set; None where nobody has said."""
    score: float | None = None
    """How likely the checks held the draft to be right, 0 to 1."""
    priority: float | None = None
    """How much a review of it is worth, 0 to 1; nothing that is published."""
    changed: float | None = None
    """How far people moved transcript or summary from the draft, 0 to 1: the larger of the two."""
    verified: tuple[str, ...] = ()
    """The fields a person gave or confirmed."""
    about: tuple[str, ...] = ()
    """The line of facts: what the columns that the desk shows say, as far as it is known (programme, channel, …)."""
    name: str = ""
    """The recording, as people call it."""
    start: float = 0.0
    """Where in the recording it begins, in seconds."""
    seconds: float = 0.0
    sound: str = ""
    """Where the library finds its sound; empty if it has none."""

    @property
    def verification(self) -> Verified:
        """Whole where a person stands behind what is said and what it comes to."""
        if {"transcript", "summary"} <= set(self.verified):
            return "whole"
        return "part" if self.verified else "none"


class Library(Protocol):
    """What is explored."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def kind(self) -> str:
        """`workspace` or `published`."""

    def entries(self, scratch: Path) -> Iterator[Entry]:
        """Every passage, in the order of recordings and times. `scratch` is a folder for what would not fit in memory."""

    def sound(self, place: str) -> bytes:
        """The FLAC at an entry's `sound`; raises AramegaError where it cannot be had."""


def voice_of_review(review: Review) -> Voice:
    """A review as a voice; an annotator who transcribed by stretches said the stretches one after the other."""
    remarks = [
        review.verdict,
        review.reason,
        "gold" if review.gold else "",
        review.state if review.state != "submitted" else "",
        review.updated_at[:10],
    ]
    return Voice(
        who=review.annotator,
        title=review.title,
        summary=review.summary,
        transcript=transcript_of(review),
        dialect=review.dialect,
        emotion=review.emotion,
        note=joined(remarks),
    )


def joined(parts: Iterable[str | None]) -> str:
    """The parts that say something, with a dot between them."""
    return " · ".join(filter(None, parts))


def facts_line(values: Iterable[object]) -> tuple[str, ...]:
    """The values of the columns that the desk shows beside a passage, without those that nobody knows."""
    return tuple(str(value) for value in values if value not in (None, ""))


def farthest(*distances: float | None) -> float | None:
    """The largest of the distances that are known."""
    measured = [distance for distance in distances if distance is not None]
    return max(measured) if measured else None
