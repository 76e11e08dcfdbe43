from __future__ import annotations

from pathlib import Path

import pytest
import torch

from aramega.text import cer
from recipes.demo_asr.compact import whole_whisper
from recipes.demo_asr.evaluate import hear_single, no_speech, sample_clips

SAMPLE = Path(__file__).parents[3] / "aramega" / "sample"


@pytest.fixture(scope="module")
def checkpoint():
    return torch.load(SAMPLE / "demo-asr.pt", weights_only=True)


def test_the_shipped_file_is_small_and_credits_its_corpus(checkpoint):
    assert (SAMPLE / "demo-asr.pt").stat().st_size < 4_000_000
    assert "Ghandoura" in checkpoint["about"]["credit"]
    assert "demonstration" in checkpoint["about"]["what"]


def test_the_shipped_model_reads_the_sample_broadcast(checkpoint):
    model = whole_whisper(checkpoint)
    clips = sample_clips(SAMPLE / "broadcast.mp3")[::4]
    heard = hear_single(model, clips, without_timestamps=False)
    # The recipe's README says what it reaches on all of it; here only that it is a transcript and no babble.
    assert cer(heard.references, heard.answers) < 0.3


def test_the_shipped_model_knows_speech_from_none(checkpoint):
    speechless, spoken = no_speech(whole_whisper(checkpoint), sample_clips(SAMPLE / "broadcast.mp3")[:8])
    assert speechless > 0.9
    assert spoken < 0.1
