"""Spans: what is speech, music and silence, in hand-made tables and in sound the model was never fitted on."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aramega.audio.frames import FrameAnalyzer
from aramega.audio.table import FrameTable
from aramega.records import Span
from aramega.stages.segment import SegmentConfig, find_spans
from aramega.stages.segment.spans import hysteresis, noise_floor, runs_at_least
from tests.support import synth
from tests.support.tables import table

RATE = synth.RATE
DEFAULT = SegmentConfig()


def spans_of(audio: np.ndarray, config: SegmentConfig = DEFAULT) -> list[Span]:
    analyzer = FrameAnalyzer()
    analyzer.feed(audio)
    return find_spans(analyzer.finish(), config)


def share(spans: list[Span], kind: str) -> float:
    return sum(s.end - s.start for s in spans if s.kind == kind) / spans[-1].end


def utterance(voice: str = "ar", seconds: float = 12, seed: int = 1) -> np.ndarray:
    """One speaker, with pauses of half a second between sentences."""
    rng, parts = np.random.default_rng(seed), []
    while sum(map(len, parts)) < seconds * RATE:
        parts += [synth.EspeakSpeaker(voice, 150, 50).utterance(rng), np.zeros(RATE // 2, np.float32)]
    return synth.scaled(np.concatenate(parts), 0.08)


def found_of(audio: np.ndarray, clean: np.ndarray) -> float:
    """Share of the frames where `clean` sounds that are called speech in `audio`."""
    covered = np.zeros(len(clean) // 320, bool)
    for s in spans_of(audio):
        if s.kind == "speech":
            covered[round(s.start * 50) : round(s.end * 50)] = True
    sounds = np.abs(clean[: len(covered) * 320]).reshape(-1, 320).max(axis=1) > 1e-3
    return float(covered[sounds].mean())


# --- decisions, on tables made by hand ------------------------------------------------------------------------------


@st.composite
def noisy_tables(draw: st.DrawFn) -> FrameTable:
    seconds = draw(st.integers(0, 40_000)) / 1000
    made, rng = table(seconds), np.random.default_rng(draw(st.integers(0, 999)))
    smooth = draw(st.integers(1, 60))

    def wander(n: int) -> np.ndarray:
        points = rng.integers(0, 256, n // smooth + 2)
        return np.interp(np.arange(n) / smooth, np.arange(len(points)), points).astype(np.uint8)

    return dataclasses.replace(
        made, speech=wander(len(made.speech)), level=wander(len(made.level)), music=wander(len(made.music))
    )


@settings(max_examples=150, deadline=None)
@given(made=noisy_tables())
def test_spans_cover_the_recording_without_gap_or_overlap(made: FrameTable) -> None:
    spans = find_spans(made, DEFAULT)
    if made.seconds == 0:
        assert spans == []
        return
    assert spans[0].start == 0
    assert spans[-1].end == round(made.seconds, 3)
    assert all(a.end == b.start for a, b in pairwise(spans))
    assert all(s.end > s.start for s in spans)
    assert all(a.kind != b.kind or a.kind == "speech" for a, b in pairwise(spans))
    assert all(round(t, 3) == t for s in spans for t in (s.start, s.end))


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.integers(0, 255), max_size=80),
    threshold=st.integers(1, 255),
    piece=st.integers(1, 90),
)
def test_runs_are_the_same_however_the_values_are_cut_into_pieces(
    values: list[int], threshold: int, piece: int
) -> None:
    array = np.array(values, np.uint8)
    mask = np.zeros(len(values), bool)
    runs = runs_at_least(array, threshold, piece)
    for a, b in runs:
        assert a < b
        mask[a:b] = True
    np.testing.assert_array_equal(mask, array >= threshold)
    assert all(a[1] < b[0] for a, b in pairwise(runs.tolist()))


def test_hysteresis_keeps_weak_ends_of_what_is_strong_somewhere() -> None:
    values = np.array([0, 90, 90, 0, 90, 200, 90, 0, 0, 90, 255], np.uint8)
    assert hysteresis(values, 128, 80).tolist() == [[4, 7], [9, 11]]


def test_gaps_too_short_for_a_pause_are_speech() -> None:
    spans = find_spans(table(10, [(1, 3), (3.1, 5), (6, 8)]), DEFAULT)
    assert [(s.start, s.end) for s in spans if s.kind == "speech"] == [(1, 5), (6, 8)]


def test_bursts_too_short_for_a_word_are_dropped() -> None:
    assert find_spans(table(5, [(2, 2.08)]), DEFAULT) == [Span(0.0, 5.0, "silence")]


def test_music_names_what_is_left_and_never_what_is_spoken() -> None:
    spans = find_spans(table(20, speech=[(8, 14)], music=[(2, 16)]), DEFAULT)
    assert [(s.start, s.end, s.kind) for s in spans] == [
        (0, 2, "silence"), (2, 8, "music"), (8, 14, "speech"), (14, 16, "music"), (16, 20, "silence"),
    ]  # fmt: skip


def test_a_doubtful_stretch_needs_webrtcvads_voice_too() -> None:
    shut = table(10, [(2, 6)], gate_open=False)
    doubtful = dataclasses.replace(shut, speech=np.minimum(shut.speech, 170))
    assert share(find_spans(doubtful, DEFAULT), "speech") == 0
    assert share(find_spans(doubtful, SegmentConfig(gate_share=0)), "speech") == pytest.approx(0.4)
    assert share(find_spans(shut, DEFAULT), "speech") == pytest.approx(0.4), "certain speech passes a shut gate"


def test_speech_over_music_must_be_surer_than_speech_alone() -> None:
    half_sure = table(20, speech=[(5, 10)], music=[(2, 16)])
    half_sure.speech[:] = np.minimum(half_sure.speech, np.tile([160, 30], len(half_sure.speech) // 2))
    alone = dataclasses.replace(half_sure, music=np.zeros_like(half_sure.music))
    assert share(find_spans(half_sure, DEFAULT), "speech") == 0
    assert share(find_spans(alone, DEFAULT), "speech") == pytest.approx(0.25)


def test_edges_in_the_noise_floor_are_trimmed() -> None:
    made = table(20, [(5, 10)])
    odds = made.speech.copy()
    odds[round(4.6 * 50) : 5 * 50] = odds[10 * 50 : round(10.4 * 50)] = 200
    speech = [s for s in find_spans(dataclasses.replace(made, speech=odds), DEFAULT) if s.kind == "speech"]
    assert [(s.start, s.end) for s in speech] == [(5, 10)]


def test_the_noise_floor_follows_the_programme() -> None:
    level = np.concatenate((np.full(2000, 60), np.full(2000, 120))).astype(np.uint8)
    floor = noise_floor(level, 1000)
    assert floor[0] == 60
    assert floor[-1] == 120


def test_ten_hours_of_silence_are_one_span() -> None:
    assert find_spans(table(36_000), DEFAULT) == [Span(0.0, 36_000.0, "silence")]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"speech_off": 0.8}, "speech_off"),
        ({"max_seconds": 45}, "max_seconds"),
        ({"min_pause": -1}, "min_pause"),
        ({"tiny_seconds": 31.0}, "tiny_seconds"),
        ({"speach_on": 0.5}, "speach_on"),
    ],
)
def test_impossible_options_are_refused_by_name(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SegmentConfig(**wrong)


# --- sound ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", synth.HELD_OUT_MUSIC)
def test_music_of_kinds_never_fitted_on_is_not_speech(kind: str) -> None:
    rng = np.random.default_rng(11)
    spans = spans_of(synth.scaled(synth.HELD_OUT_MUSIC[kind](rng, 30.0), 0.08))
    assert share(spans, "speech") <= 0.05
    assert share(spans, "music") >= 0.7


@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum", "clicks", "applause"])
def test_noise_is_not_speech(kind: str) -> None:
    spans = spans_of(synth.NOISES[kind](np.random.default_rng(12), 30.0) * np.float32(0.05))
    assert share(spans, "speech") <= 0.03


def test_a_murmuring_crowd_is_mostly_not_speech() -> None:
    """Noise that swells in the band and at the rate of a voice is the hardest: a tenth may slip through."""
    found = [
        share(spans_of(synth.crowd(np.random.default_rng(seed), 30.0) * np.float32(0.05)), "speech")
        for seed in range(4)
    ]
    assert np.mean(found) <= 0.1


@pytest.mark.parametrize("voice", ["ar", "ar+f3", "ar+m5", "ar+croak", "en-us+f2"])
def test_clean_speech_is_kept(voice: str) -> None:
    clean = utterance(voice)
    assert found_of(clean, clean) >= 0.97


@pytest.mark.parametrize("gain", [0.05, 0.2])
def test_quiet_speech_is_kept(gain: float) -> None:
    clean = utterance()
    quiet = np.round(clean * np.float32(gain) * 32768).astype(np.float32) / 32768
    assert found_of(quiet, clean) >= 0.95


def test_telephone_speech_is_kept() -> None:
    clean = utterance(seed=2)
    assert found_of(synth.band_passed(clean, 300, 3400), clean) >= 0.95


def test_whispered_speech_is_kept() -> None:
    clean = utterance(seed=3)
    assert found_of(synth.whisper(np.random.default_rng(1), clean) * 0.3, clean) >= 0.9


@pytest.mark.parametrize("kind", ["pad", "melody", "strings"])
def test_speech_over_a_music_bed_stays_speech(kind: str) -> None:
    clean = utterance(seed=4)
    maker = {**synth.MUSIC, **synth.HELD_OUT_MUSIC}[kind]
    bed = synth.scaled(maker(np.random.default_rng(2), len(clean) / RATE + 0.01)[: len(clean)], 0.08 * 10 ** (-12 / 20))
    assert found_of(clean + bed, clean) >= 0.93


def test_speech_right_next_to_music_keeps_its_first_and_last_word() -> None:
    rng, voice = np.random.default_rng(6), utterance(seconds=6, seed=5)
    voice = synth.trim(voice)
    tune = synth.scaled(synth.gamelan(rng, 6.0), 0.08)
    both = np.concatenate((tune, voice, tune))
    clean = np.concatenate((np.zeros_like(tune), voice, np.zeros_like(tune)))
    assert found_of(both, clean) >= 0.93


def recited(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Slow phrases on the notes of a scale: dry, and as they sound in a hall."""
    rng, parts = np.random.default_rng(seed), []
    while sum(map(len, parts)) < 25 * RATE:
        words = synth.EspeakSpeaker("ar+m3", 140, 45).utterance(rng)[: 3 * RATE]
        parts += [synth.chanted(rng, words, 1.5), np.zeros(RATE, np.float32)]
    dry = synth.scaled(np.concatenate(parts), 0.08)
    return dry, synth.in_a_hall(rng, dry, 2.0, 3.0)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_a_voice_that_recites_in_a_hall_is_speech(seed: int) -> None:
    dry, heard = recited(seed)
    assert found_of(heard, dry) >= 0.88


def test_the_pauses_of_a_voice_that_recites_are_no_music() -> None:
    """It ends passages: what rings on in a hall after each phrase must not."""
    for seed in (21, 22, 23):
        _, heard = recited(seed)
        assert share(spans_of(heard), "music") <= 0.12


def test_a_slow_voice_in_a_hall_is_speech() -> None:
    clean = synth.slowed(utterance(seed=7), 1.8)
    heard = synth.in_a_hall(np.random.default_rng(3), clean, 2.5, 0.0)
    assert found_of(heard, clean) >= 0.8
