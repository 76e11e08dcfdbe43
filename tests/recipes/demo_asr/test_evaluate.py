from __future__ import annotations

import numpy as np
import pytest

from recipes.demo_asr.evaluate import Recognized, joined, pack, segment_starts
from recipes.demo_asr.features import RATE
from recipes.demo_asr.voices import Clip


def lasting(seconds: float) -> Clip:
    return Clip(np.zeros(int(seconds * RATE), np.float32), "نعم")


def test_packing_keeps_the_order_and_fits_the_window():
    clips = [lasting(seconds) for seconds in (14, 14, 14, 29, 1, 2)]
    assert [[len(clip.audio) // RATE for clip in one] for one in pack(clips)] == [[14, 14], [14], [29], [1, 2]]


def test_joined_clips_start_where_it_says(four_words):
    audio, starts = joined(four_words[:3])
    for clip, start in zip(four_words, starts, strict=False):
        first = round(start * RATE)
        np.testing.assert_array_equal(audio[first : first + len(clip.audio)], clip.audio)


def test_segments_start_at_the_timestamps_before_text(tokens):
    stamp, words = tokens.timestamp, tokens.tokenizer.encode(" نعم")
    sequence = [stamp(0.5), *words, stamp(1.5), stamp(2.0), *words, stamp(3.0)]
    assert segment_starts(sequence) == pytest.approx([0.5, 2.0])


def test_what_was_heard_prints_its_error_rates():
    assert str(Recognized(["نعم لا"], ["نعم"])) == "CER  50.0%  WER  50.0%"
