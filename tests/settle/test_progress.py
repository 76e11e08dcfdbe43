"""Progress: what each annotator has done, and a forecast that says nothing rather than something made up."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.records import Review
from aramega.settle.progress import (
    AnnotatorProgress,
    Known,
    ReviewProgress,
    forecast,
    measure_progress,
    measure_workspace,
)
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.reviews import add_reviews
from tests.support.database import connection_of
from tests.support.drafts import Annotator, drafted_workspace

NOW = datetime(2026, 2, 10, 12, tzinfo=timezone.utc)
PASSAGES = {f"p{i}": Known(120.0, "فاز المنتخب", "فوز.") for i in range(4)}


def progress(*reviews: Review) -> ReviewProgress:
    return measure_progress(PASSAGES, reviews, NOW)


def of(found: ReviewProgress, name: str) -> AnnotatorProgress:
    return next(a for a in found.annotators if a.annotator == name)


def test_each_annotators_work_is_counted_once_a_passage() -> None:
    amal, basim = Annotator("amal"), Annotator("basim")
    found = progress(
        amal.says("p0", seconds_spent=300.0),
        amal.says("p0", seconds_spent=240.0),
        amal.says("p1", seconds_spent=480.0, verdict="reject"),
        basim.says("p1", state="skipped"),
        basim.says("p2", state="draft"),
    )
    assert (found.passages, found.reviewed, found.several, found.left) == (4, 2, 0, 2)
    assert found.reviewed_hours == pytest.approx(240 / 3600)
    one = of(found, "amal")
    assert (one.passages, one.corrections, one.reject_rate) == (2, 1, 0.5)
    assert one.seconds_per_minute == 180.0  # the median of 120 and 240
    two = of(found, "basim")
    assert (two.passages, two.skipped, two.begun, two.skip_rate) == (0, 1, 1, 1.0)
    assert (two.reject_rate, two.seconds_per_minute, two.transcript_distance) == (None, None, None)
    assert two.last_active == "2026-02-01T10:00:02+00:00"


def test_what_was_skipped_and_then_done_is_done() -> None:
    amal = Annotator("amal")
    one = of(progress(amal.says("p0", state="skipped"), amal.says("p0")), "amal")
    assert (one.passages, one.skipped, one.skip_rate) == (1, 0, 0.0)


def test_distance_from_the_draft_is_over_what_was_answered_and_not_rejected() -> None:
    amal = Annotator("amal")
    one = of(
        progress(
            amal.says("p0", transcript="فاز المنتخب"),
            amal.says("p1", transcript="فاز المنتخبان"),
            amal.says("p2", transcript="", verdict="reject"),
        ),
        "amal",
    )
    assert one.transcript_distance == pytest.approx((0 + 2 / 13) / 2)
    assert one.summary_distance is None


def test_reviews_of_passages_that_were_not_asked_about_are_left_out() -> None:
    assert progress(Annotator("amal").says("elsewhere")).annotators == ()


def test_a_passage_of_no_length_has_no_speed() -> None:
    found = measure_progress({"p": Known(0.0, None, None)}, [Annotator("amal").says("p", seconds_spent=5.0)], NOW)
    assert of(found, "amal").seconds_per_minute is None


def test_all_of_it_goes_into_json() -> None:
    found = progress(replace(Annotator("amal").says("p0"), transcript="نعم"))
    assert json.loads(json.dumps(found.to_dict()))["left"] == 3


# A workspace


def test_what_became_a_task_is_to_be_reviewed_else_what_machines_did_not_reject(tmp_path: Path) -> None:
    with Store.create_or_open(drafted_workspace(tmp_path / "ws", clips=False)) as store:
        one, two, *_ = find_passages(store)
        assert measure_workspace(store, now=NOW).passages == 6
        connection_of(store).execute("UPDATE verdicts SET decision = 'reject' WHERE passage = ?", (one,))
        assert measure_workspace(store, now=NOW).passages == 5
        connection_of(store).execute("INSERT INTO tasks (place, project, task, passage) VALUES ('ls', 1, 1, ?)", (two,))
        assert measure_workspace(store, now=NOW).passages == 1
        add_reviews(store, [Annotator("amal").says(one)])
        assert measure_workspace(store, now=NOW).passages == 2
        assert measure_workspace(store, where="decision = 'review first'", now=NOW).passages == 5


# Forecasts


def finished(number: int, *, days: float) -> list[datetime]:
    """So many passages, evenly over the last `days`."""
    return [NOW - timedelta(days=days) * (i + 1) / number for i in range(number)]


def test_the_rest_is_done_at_the_pace_of_the_last_week() -> None:
    found = forecast([*finished(70, days=7), *[NOW - timedelta(days=30)] * 500], 70 + 500 + 100, NOW)
    assert (found.per_day, found.done_on) == (10.0, "2026-02-20")


def test_a_session_younger_than_a_week_is_measured_by_its_own_days() -> None:
    found = forecast(finished(20, days=2), 40, NOW)
    assert (found.per_day, found.done_on) == (10.0, "2026-02-12")


@pytest.mark.parametrize(
    ("times", "passages", "why"),
    [
        ([], 0, "there is nothing to review"),
        ([], 5, "nothing has been submitted yet"),
        (finished(5, days=3), 5, "nothing is left"),
        (finished(9, days=3), 50, "too little to say: 9 passages in 3 days"),
        (finished(30, days=0.1), 50, "too little to say: 30 passages in 2 hours"),
        ([NOW - timedelta(days=20)] * 30, 50, "nothing was submitted in the last seven days (last: 2026-01-21)"),
        (finished(10, days=7), 100_000, "at this pace it takes more than ten years"),
    ],
)
def test_a_forecast_says_why_there_is_none(times: list[datetime], passages: int, why: str) -> None:
    found = forecast(times, passages, NOW)
    assert (found.done_on, found.why) == ("", why)


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), max_size=30), st.integers(0, 10**9))
def test_there_is_either_a_day_or_a_reason_whatever_the_times(times: list[datetime], passages: int) -> None:
    found = forecast([t.replace(tzinfo=timezone.utc) for t in times], passages, NOW)
    assert bool(found.done_on) != bool(found.why)
