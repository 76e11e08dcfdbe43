"""A word in time begins and ends where its sound does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.backends.asr.recognizer import Sound, Spoken
from aramega.backends.asr.word_edges import snap_to_sound
from aramega.records import RATE


def speech_at(*spans: tuple[float, float], seconds: float = 4.0) -> Sound:
    sound = np.random.default_rng(0).normal(0, 1e-4, round(seconds * RATE)).astype(np.float32)
    for start, end in spans:
        times = np.arange(round((end - start) * RATE)) / RATE
        sound[round(start * RATE) : round(start * RATE) + len(times)] += 0.2 * np.sin(times * 1400).astype(np.float32)
    return sound


def test_a_word_lets_go_of_the_pause_before_it() -> None:
    words = [Spoken("قال", 0.1, 1.0, 0.9), Spoken("الوزير", 1.0, 3.0, 0.8)]
    first, second = snap_to_sound(words, speech_at((0.5, 1.0), (1.6, 2.4)))
    assert (first.start, first.end) == pytest.approx((0.5, 1.0), abs=0.02)
    assert (second.start, second.end) == pytest.approx((1.6, 2.4), abs=0.02)
    assert (second.text, second.probability) == ("الوزير", 0.8)


def test_the_closure_inside_a_word_is_no_pause() -> None:
    (word,) = snap_to_sound([Spoken("ستة", 0.2, 2.0, 1.0)], speech_at((0.5, 0.8), (0.9, 1.3)))
    assert (word.start, word.end) == pytest.approx((0.5, 1.3), abs=0.02)


def test_a_word_in_which_nothing_is_heard_stays() -> None:
    silent = Spoken("نعم", 2.0, 2.5, 0.1)
    assert snap_to_sound([silent], speech_at((0.5, 1.0))) == (silent,)
    assert snap_to_sound([silent], np.zeros(0, np.float32)) == (silent,)


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(0, 2)), max_size=6))
def test_a_word_never_grows_and_never_turns_around(times: list[tuple[float, float]]) -> None:
    words = [Spoken("كلمة", start, start + length, 0.5) for start, length in times]
    for before, after in zip(words, snap_to_sound(words, speech_at((0.3, 0.9), (1.5, 3.1))), strict=True):
        assert before.start <= after.start <= after.end <= before.end
