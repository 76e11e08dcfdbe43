"""Records: what is written comes back the same, ids say what they stand for."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from aramega.records import (
    Measures,
    Metadata,
    Recording,
    Segment,
    Span,
    Timeline,
    Transcript,
    from_dict,
    on_grid,
    stretch_id,
)
from aramega.records.values import to_values
from tests.support.strategies import numbers, texts, transcripts


@given(
    st.builds(
        Recording,
        metadata=st.builds(Metadata, *[texts] * 8),
        note=texts,
        seconds=numbers,
        measures=st.builds(Measures, st.none() | numbers, numbers, numbers, numbers, numbers),
    )
)
def test_any_recording_comes_back_from_json(recording: Recording) -> None:
    assert from_dict(Recording, json.loads(json.dumps(asdict(recording)))) == recording


@given(st.lists(st.builds(Span, numbers, numbers, st.sampled_from(["speech", "music", "silence"]))))
def test_a_timeline_comes_back_with_its_spans(spans: list[Span]) -> None:
    timeline = Timeline("r", tuple(spans))
    assert from_dict(Timeline, json.loads(json.dumps(asdict(timeline)))) == timeline


def test_keys_of_a_newer_version_are_passed_over() -> None:
    values = asdict(Segment("s", "r", 0.0, 1.0))
    assert from_dict(Segment, {**values, "mood": "calm"}) == Segment("s", "r", 0.0, 1.0)


@given(st.floats(0, 360_000))
def test_a_time_on_the_grid_and_the_id_made_of_it_agree(seconds: float) -> None:
    start = on_grid(seconds)
    assert abs(start - seconds) <= 0.000501
    assert int(stretch_id("r", start, start + 1).split("-")[1]) == round(start * 1000)


@given(transcripts)
def test_values_of_a_record_are_those_of_asdict(transcript: Transcript) -> None:
    assert json.dumps(to_values(transcript)) == json.dumps(asdict(transcript))
