"""Cutting: every plan keeps its promises, and cuts where a listener would."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.records import Span
from aramega.stages.segment import SegmentConfig, plan_segments
from tests.support.tables import table

DEFAULT = SegmentConfig(padding=0)


def speech(*bounds: tuple[float, float]) -> list[Span]:
    return [Span(a, b, "speech") for a, b in bounds]


def plan(*bounds: tuple[float, float], config: SegmentConfig = DEFAULT, seconds: float | None = None):
    end = seconds or bounds[-1][1] + 1
    return plan_segments(speech(*bounds), table(end, bounds), config)


@st.composite
def utterances(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Speech of 0.1 to 90 s between pauses of 0.02 to 5 s, in whole milliseconds."""
    at, bounds = draw(st.integers(0, 3000)), []
    for _ in range(draw(st.integers(0, 25))):
        length = draw(st.one_of(st.integers(100, 8000), st.integers(8000, 90_000)))
        bounds.append((at / 1000, (at + length) / 1000))
        at += length + draw(st.integers(20, 5000))
    return bounds


configs = st.builds(
    SegmentConfig,
    max_seconds=st.sampled_from([5.0, 12.5, 30.0]),
    worth_a_cut=st.sampled_from([0.1, 0.3, 1.0, 4.0]),
    padding=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)


@settings(max_examples=150, deadline=None)
@given(bounds=utterances(), config=configs)
def test_a_plan_keeps_all_its_promises(bounds: list[tuple[float, float]], config: SegmentConfig) -> None:
    seconds = round((bounds[-1][1] if bounds else 0) + 0.3, 3)
    spans = speech(*bounds)
    segments = plan_segments(spans, table(seconds, bounds), config)

    assert all(0 <= s.start < s.end <= seconds for s in segments), "inside the recording"
    assert all(a.end <= b.start for a, b in pairwise(segments)), "in order, never overlapping"
    assert all(s.end - s.start <= config.max_seconds + 1e-6 for s in segments), "never too long"
    for a, b in bounds:
        held = sum(max(0.0, min(b, s.end) - max(a, s.start)) for s in segments)
        assert held == pytest.approx(b - a, abs=1e-6), "all speech is held"
    for s in segments:
        assert s.start == round(s.start, 3), "whole milliseconds"
        assert s.end == round(s.end, 3), "whole milliseconds"
    if all(b - a <= config.max_seconds for a, b in bounds):
        assert not any(s.forced_start or s.forced_end for s in segments), "forced only where it must be"
    for a, b in pairwise(segments):
        assert a.forced_end == b.forced_start, "a forced cut has two sides"
        assert not a.forced_end or a.end == b.start, "and loses nothing between them"
    inner = [s.end for s in segments if not s.forced_end] + [s.start for s in segments if not s.forced_start]
    assert not any(a + 1e-6 < edge < b - 1e-6 for edge in inner for a, b in bounds), "no unmarked edge lies in speech"


def test_nothing_said_gives_no_segment() -> None:
    assert plan_segments([Span(0.0, 60.0, "music")], table(60), DEFAULT) == []


def test_a_pause_worth_a_cut_parts_two_segments_and_a_shorter_one_does_not() -> None:
    config = SegmentConfig(worth_a_cut=0.4, padding=0)
    assert len(plan((1, 4), (4.5, 8), config=config)) == 2
    assert len(plan((1, 4), (4.3, 8), config=config)) == 1


def test_a_tiny_word_goes_to_its_nearer_neighbour() -> None:
    segments = plan((1, 4), (4.4, 4.6), (5.2, 9), config=SegmentConfig(padding=0, worth_a_cut=0.3, tiny_seconds=0.6))
    assert [(s.start, s.end) for s in segments] == [(1, 4.6), (5.2, 9)]


def test_speech_with_only_short_pauses_is_cut_at_the_longest_of_them() -> None:
    bounds = [(0.5, 9.5), (9.6, 19.0), (19.2, 25.0), (25.1, 40.0)]
    segments = plan(*bounds, config=SegmentConfig(padding=0, worth_a_cut=1.0))
    assert [(s.start, s.end) for s in segments] == [(0.5, 19.0), (19.2, 40.0)]
    assert not any(s.forced_end for s in segments)


def test_a_cut_is_not_put_off_until_only_an_orphan_is_left() -> None:
    """A greedy planner would fill 30 s and leave 0.8 s over."""
    bounds = [(0.0, 14.9), (15.1, 29.8), (30.0, 30.8)]
    segments = plan(*bounds, config=SegmentConfig(padding=0, worth_a_cut=1.0, tiny_seconds=1.0))
    assert [(s.start, s.end) for s in segments] == [(0.0, 14.9), (15.1, 30.8)]


def test_endless_speech_is_cut_at_its_quietest_instant_and_marked() -> None:
    made = table(50, [(0, 50)])
    level = made.level.copy()
    level[round(23.4 * 50)] = 120
    segments = plan_segments(speech((0.0, 50.0)), dataclasses.replace(made, level=level), DEFAULT)
    assert [(s.start, s.end, s.forced_start, s.forced_end) for s in segments] == [
        (0.0, 23.41, False, True),
        (23.41, 50.0, True, False),
    ]


def test_endless_speech_is_cut_no_more_often_than_it_must_be() -> None:
    segments = plan((0.0, 89.0), seconds=90)
    assert len(segments) == 3
    assert all(s.end - s.start > 5 for s in segments)


def test_padding_stops_in_the_middle_of_the_pause_and_at_the_ends() -> None:
    config = SegmentConfig(padding=0.5, worth_a_cut=0.2)
    segments = plan((0.2, 5), (5.6, 9), (12, 15), config=config, seconds=15.1)
    assert [(s.start, s.end) for s in segments] == [(0.0, 5.3), (5.3, 9.5), (11.5, 15.1)]


def test_a_segment_goes_on_while_what_follows_fades_into_the_noise() -> None:
    made = table(20.0, speech=[(2, 5), (9, 12)])
    made.level[5 * 50 : 5 * 50 + 4] = (150, 120, 95, 80)
    made.level[12 * 50 : 13 * 50] = 150
    segments = plan_segments(speech((2, 5), (9, 12)), made, SegmentConfig(padding=0.02, fade=0.2))
    assert [(s.start, s.end) for s in segments] == [(1.98, 5.08), (8.98, 12.22)]


def test_a_fade_stops_in_the_middle_of_the_pause() -> None:
    made = table(20.0, speech=[(2, 5), (5.3, 9)])
    made.level[5 * 50 : round(5.3 * 50)] = 150
    segments = plan_segments(speech((2, 5), (5.3, 9)), made, SegmentConfig(padding=0, fade=0.2))
    assert [(s.start, s.end) for s in segments] == [(2, 5.15), (5.3, 9)]


def test_ten_hours_of_talk_are_planned_in_one_go() -> None:
    bounds = [(i * 4.0, i * 4.0 + 3.5) for i in range(9000)]
    assert len(plan(*bounds)) == 9000


def test_pieces_of_a_limit_below_one_second_still_work() -> None:
    segments = plan((0.0, 10.0), config=SegmentConfig(padding=0, max_seconds=0.8, tiny_seconds=0.0), seconds=11)
    assert max(s.end - s.start for s in segments) <= 0.8 + 1e-9
    assert np.isclose(sum(s.end - s.start for s in segments), 10)
