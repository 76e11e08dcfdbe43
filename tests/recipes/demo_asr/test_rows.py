from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import whisper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipes.demo_asr.features import RATE, log_mel
from recipes.demo_asr.rows import IGNORED, Row, Spoken, packed_rows, short_rows, windows

NO_AUDIO = np.zeros(0, np.float32)


def spelled(tokens, sequence):
    return tokens.tokenizer.decode_with_timestamps(sequence)


def test_a_row_without_timestamps_is_written_as_whisper_writes_it(tokens):
    given_, wanted = tokens.sequence(Row(NO_AUDIO, [Spoken(0.2, 1.0, "نعم موافق")], with_timestamps=False))
    assert spelled(tokens, given_) == "<|startoftranscript|><|ar|><|transcribe|><|notimestamps|> نعم موافق"
    assert wanted == [*given_[1:], tokens.tokenizer.eot]


def test_a_packed_row_has_each_utterance_between_its_timestamps(tokens):
    row = Row(NO_AUDIO, [Spoken(0.0, 0.61, "نعم"), Spoken(1.5, 29.99, "لا")], with_timestamps=True)
    given_, wanted = tokens.sequence(row)
    assert spelled(tokens, given_) == (
        "<|startoftranscript|><|ar|><|transcribe|><|0.00|> نعم<|0.60|><|1.50|> لا<|30.00|>"
    )
    assert wanted[-1] == tokens.tokenizer.eot


def test_without_speech_the_first_answer_is_no_speech_and_the_text_is_empty(tokens):
    given_, wanted = tokens.sequence(Row(NO_AUDIO, [], with_timestamps=True))
    assert given_ == [*tokens.tokenizer.sot_sequence, tokens.tokenizer.no_timestamps]
    assert wanted == [tokens.tokenizer.no_speech, IGNORED, IGNORED, tokens.tokenizer.eot]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_is_drawn_every_token_is_in_use_and_utterances_lie_inside_their_rows_in_order(seed, source, tokens):
    rng = random.Random(seed)
    for row in [*short_rows(source, rng, 4), *packed_rows(source, rng, 2, seconds=5.0), *windows(source, rng, 2)]:
        given_, wanted = tokens.sequence(row)
        assert {*given_, *wanted} - {IGNORED} <= tokens.row_of.keys()
        times = [time for spoken in row.spoken for time in (spoken.start, spoken.end)]
        assert times == sorted(times)
        assert all(0 <= time <= len(row.audio) / RATE + 0.02 for time in times)


def test_windows_last_thirty_seconds_and_short_rows_are_of_one_length(source):
    rng = random.Random(0)
    assert {len(row.audio) for row in windows(source, rng, 6)} == {30 * RATE}
    assert len({len(row.audio) for row in short_rows(source, rng, 6)}) == 1


def test_a_rows_log_mel_is_whispers_whatever_else_is_in_the_batch():
    rng = np.random.default_rng(0)
    quiet, loud = rng.normal(0, 0.01, RATE).astype(np.float32), rng.normal(0, 0.3, RATE).astype(np.float32)
    batch = log_mel(torch.from_numpy(np.stack([quiet, loud])))
    for row, audio in zip(batch, (quiet, loud), strict=True):
        assert row.numpy() == pytest.approx(whisper.log_mel_spectrogram(audio).numpy(), abs=1e-4)
