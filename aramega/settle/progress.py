"""Progress: what each annotator has done, what is left, and when it will be done at last week's pace.

A forecast is only given where there is something to base it on: ten passages over a day at least. Time spent is
Label Studio's own count, in which a tab left open over lunch is an hour's work; so speeds are medians.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from statistics import fmean, median
from typing import Any

from aramega.records import Part, Review, in_time, moment
from aramega.settle.at_random import is_drawn
from aramega.settle.distances import edit_distance
from aramega.settle.policies import draft_of
from aramega.settle.rates import DraftRates, measure_rates
from aramega.settle.reviewed_drafts import list_reviewed_drafts
from aramega.settle.standing import answer, is_rejection
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafts, passage_lengths_by_id
from aramega.store.reviews import load_reviews, reviewed_passages
from aramega.store.tasks import sent_passages

WEEK = timedelta(days=7)
LEAST_PASSAGES = 10
LEAST_TIME = timedelta(days=1)
_NOT_REJECTED = "decision IS NOT 'reject' OR reviewed"


@dataclass(frozen=True)
class Known:
    """What progress needs of a passage: how long it is, and what the annotator was given to start from."""

    seconds: float
    transcript: str | None
    summary: str | None


@dataclass(frozen=True)
class AnnotatorProgress:
    """One annotator's work; None where there is nothing to measure."""

    annotator: str
    passages: int
    hours: float
    """Of sound, in the passages they submitted."""
    skipped: int
    begun: int
    """Left as a draft in the browser: neither submitted nor skipped."""
    corrections: int
    """Submitted again after they had been submitted."""
    skip_rate: float | None
    reject_rate: float | None
    seconds_per_minute: float | None
    """Median seconds spent on each minute of sound."""
    transcript_distance: float | None
    """Mean share of the draft's characters that they changed, over passages they did not reject."""
    summary_distance: float | None
    last_active: str


@dataclass(frozen=True)
class Forecast:
    """When the rest will be done, or why that can't be said."""

    per_day: float | None
    done_on: str
    """A date; empty where it can't be said."""
    why: str = ""


@dataclass(frozen=True)
class ReviewProgress:
    """Where the review of a workspace stands."""

    passages: int
    reviewed: int
    """Of these, submitted by someone."""
    several: int
    """Submitted by two or more."""
    hours: float
    reviewed_hours: float
    forecast: Forecast
    annotators: tuple[AnnotatorProgress, ...]
    """Who did most comes first."""
    rates: DraftRates | None = None
    """How good the drafts are, by a fair sample of the reviews."""

    @property
    def left(self) -> int:
        return self.passages - self.reviewed

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {**asdict(self), "left": self.left}


def measure_progress(passages: Mapping[str, Known], reviews: Iterable[Review], now: datetime) -> ReviewProgress:
    """Progress over `passages`; reviews of others are left out."""
    ours = in_time(r for r in reviews if r.passage in passages)
    submitted = [r for r in ours if r.state == "submitted"]
    by_passage: dict[str, list[Review]] = {}
    for review in submitted:
        by_passage.setdefault(review.passage, []).append(review)
    people = [_measure_annotator(who, ours, passages) for who in {r.annotator for r in ours}]
    return ReviewProgress(
        passages=len(passages),
        reviewed=len(by_passage),
        several=sum(len({r.annotator for r in given}) > 1 for given in by_passage.values()),
        hours=sum(passage.seconds for passage in passages.values()) / 3600,
        reviewed_hours=sum(passages[p].seconds for p in by_passage) / 3600,
        forecast=forecast([moment(given[0].updated_at) for given in by_passage.values()], len(passages), now),
        annotators=tuple(sorted(people, key=lambda a: (-a.passages, a.annotator))),
    )


def forecast(finished: Sequence[datetime], passages: int, now: datetime) -> Forecast:
    """From when each finished passage was first submitted: the pace of the last seven days, or of all the time there
    was if that is less."""
    left = passages - len(finished)
    if left <= 0:
        return Forecast(None, "", "nothing is left" if passages else "there is nothing to review")
    if not finished:
        return Forecast(None, "", "nothing has been submitted yet")
    recent = [when for when in finished if now - WEEK <= when <= now]
    if not recent:
        return Forecast(None, "", f"nothing was submitted in the last seven days (last: {max(finished).date()})")
    since = now - max(now - WEEK, min(finished))
    if len(recent) < LEAST_PASSAGES or since < LEAST_TIME:
        return Forecast(None, "", f"too little to say: {len(recent)} passages in {_span(since)}")
    per_day = len(recent) / (since / timedelta(days=1))
    days = left / per_day
    if days > 3650:
        return Forecast(per_day, "", "at this pace it takes more than ten years")
    return Forecast(per_day, str((now + timedelta(days=days)).date()))


def _measure_annotator(who: str, reviews: Sequence[Review], passages: Mapping[str, Known]) -> AnnotatorProgress:
    theirs = [r for r in reviews if r.annotator == who]
    last_state = {r.passage: r for r in theirs}
    submitted = {r.passage: r for r in theirs if r.state == "submitted"}
    accepted = [r for r in submitted.values() if not is_rejection(r)]
    judged = [r for r in submitted.values() if r.verdict]
    skipped = sum(r.state == "skipped" and p not in submitted for p, r in last_state.items())
    times = [
        r.seconds_spent / (passages[p].seconds / 60)
        for p, r in submitted.items()
        if r.seconds_spent is not None and passages[p].seconds > 0
    ]
    return AnnotatorProgress(
        annotator=who,
        passages=len(submitted),
        hours=sum(passages[p].seconds for p in submitted) / 3600,
        skipped=skipped,
        begun=sum(r.state == "draft" and p not in submitted for p, r in last_state.items()),
        corrections=sum(r.state == "submitted" for r in theirs) - len(submitted),
        skip_rate=skipped / (skipped + len(submitted)) if skipped or submitted else None,
        reject_rate=sum(map(is_rejection, judged)) / len(judged) if judged else None,
        seconds_per_minute=median(times) if times else None,
        transcript_distance=_mean(_distance(r, "transcript", passages[r.passage].transcript) for r in accepted),
        summary_distance=_mean(_distance(r, "summary", passages[r.passage].summary) for r in accepted),
        last_active=theirs[-1].updated_at,
    )


def _distance(review: Review, field: str, draft: str | None) -> float | None:
    text = answer(review, field)
    return None if text is None else edit_distance(draft, text)


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fmean(present) if present else None


def _span(time: timedelta) -> str:
    hours = time / timedelta(hours=1)
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else "less than two hours"


def measure_workspace(
    store: Store, *, where: str = "", now: datetime | None = None, random_share: float = 0.0
) -> ReviewProgress:
    """Progress over the passages for which the SQL expression `where` is true, else over those that became tasks,
    else over those that machines did not reject."""
    passages = _worth_reviewing(store, where)
    lengths = passage_lengths_by_id(store)
    reviewed = [p for p in reviewed_passages(store) if p in passages]
    drafts = load_drafts(store, reviewed, Part.TRANSCRIPT | Part.SUMMARY)
    described = {p: Known(lengths[p], None, None) for p in passages} | {
        p: Known(lengths[p], draft_of(draft, "transcript"), draft_of(draft, "summary")) for p, draft in drafts.items()
    }
    reviews = [review for theirs in load_reviews(store, reviewed).values() for review in theirs]
    drawn = [passage for passage in reviewed if is_drawn(passage, random_share)]
    rates = measure_rates(list(list_reviewed_drafts(store, drawn)), random_share)
    return replace(measure_progress(described, reviews, now or datetime.now(timezone.utc)), rates=rates)


def _worth_reviewing(store: Store, where: str) -> set[str]:
    if where:
        return set(find_passages(store, where))
    sent = sent_passages(store)
    if not sent:
        return set(find_passages(store, _NOT_REJECTED))
    return sent & set(find_passages(store)) | set(find_passages(store, "reviewed"))
