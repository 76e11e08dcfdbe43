"""What no passage holds is counted, each run of it under one reason."""

from __future__ import annotations

from pathlib import Path

import soundfile as sf

from aramega.config import PassagesConfig
from aramega.records import Span
from aramega.report.left_out import LeftOutRun, Why, left_out_runs, why_left_out
from aramega.store.coverage import SegmentPlace
from tests.support.cli import Run

OPTIONS = PassagesConfig()


def runs_of(*segments: tuple[float, float, bool]) -> list[LeftOutRun]:
    return list(left_out_runs([SegmentPlace("r", *segment) for segment in segments], OPTIONS.join_within))


def why(run: LeftOutRun, *music: tuple[float, float]) -> Why:
    return why_left_out(run, [Span(a, b, "music") for a, b in music], OPTIONS)


def test_what_is_in_a_passage_is_not_left_out() -> None:
    assert runs_of((0, 10, True), (11, 20, True)) == []


def test_segments_near_each_other_are_one_run_and_others_are_two() -> None:
    runs = runs_of((0, 4, False), (5, 9, False), (40, 44, False), (60, 80, True))
    assert [(run.start, run.end, run.speech) for run in runs] == [(0, 9, 8), (40, 44, 4)]
    assert [run.gaps for run in runs] == [[(9, 40)], [(9, 40), (44, 60)]]


def test_a_headline_between_two_jingles_is_left_out_for_the_music() -> None:
    (run,) = runs_of((0, 20, True), (40, 48, False), (70, 90, True))
    assert why(run, (21, 39), (49, 69)) is Why.MUSIC


def test_a_phrase_in_a_long_silence_is_left_out_for_the_pause() -> None:
    (run,) = runs_of((0, 20, True), (40, 48, False), (70, 90, True))
    assert why(run, (30, 30.5)) is Why.PAUSE


def test_a_recording_of_one_short_phrase_has_no_more_speech() -> None:
    (run,) = runs_of((3, 9, False))
    assert why(run, (0, 3), (9, 60)) is Why.ONLY


def test_what_lies_near_a_full_passage_has_no_room() -> None:
    (run,) = runs_of((0, 119, True), (120, 124, False))
    assert why(run) is Why.NO_ROOM


def test_the_report_says_what_was_left_out_and_why(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    """Twelve seconds of news are too short, and there is nothing to join them to."""
    samples, rate = sf.read(short_broadcast)
    sf.write(tmp_path / "headline.wav", samples[: 12 * rate], rate)
    assert aramega("build-ssum", tmp_path / "headline.wav", "-w", tmp_path / "ws", "-q").code == 0
    assert aramega("report", tmp_path / "ws").code == 0
    page = (tmp_path / "ws" / "report.html").read_text(encoding="utf-8")
    assert f"too short, and {Why.ONLY.value}" in page
    assert "passages.join_within" in page
