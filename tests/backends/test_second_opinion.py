"""silero-vad as a second opinion: the real network, found without importing its package."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from aramega.backends.second_opinion import SileroVad, network_file
from aramega.stages.segment import SegmentConfig, find_spans
from aramega.stages.segment.spans import unsure_regions
from tests.support import synth
from tests.support.tables import table

RATE = synth.RATE


@pytest.fixture(scope="module")
def opinion() -> SileroVad:
    return SileroVad()


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    return synth.scaled(synth.EspeakSpeaker("ar", 150, 50).utterance(np.random.default_rng(3)), 0.08)


def test_its_network_is_found_without_importing_torch() -> None:
    code = "import sys; from aramega.backends.second_opinion import SileroVad; SileroVad()([]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert network_file().name == "silero_vad.onnx"


def test_it_hears_a_voice_and_not_noise(opinion: SileroVad, voice: np.ndarray) -> None:
    noise = synth.coloured(np.random.default_rng(1), 3.0, 0.5) * np.float32(0.03)
    spoken, hissed = opinion([voice, noise])
    assert len(spoken) == -(-len(voice) // 320)
    assert np.median(spoken[10:]) > 0.8
    assert hissed.max() < 0.5


def test_a_batch_answers_as_one_by_one(opinion: SileroVad, voice: np.ndarray) -> None:
    pieces = [voice, voice[: RATE // 2], voice[RATE // 4 : RATE]]
    for together, alone in zip(opinion(pieces), (opinion([p])[0] for p in pieces), strict=True):
        np.testing.assert_allclose(together[:-2], alone[:-2], atol=1e-3)


def test_only_what_is_doubtful_is_read_and_asked_about() -> None:
    made = table(60, [(5, 20)], gate_open=False)
    made.speech[30 * 50 : 32 * 50] = 127
    read: list[tuple[float, float]] = []

    def reader(start: float, end: float) -> np.ndarray:
        read.append((start, end))
        return np.zeros(round((end - start) * RATE), np.float32)

    def sure(pieces: list[np.ndarray]) -> list[np.ndarray]:
        return [np.ones(len(p) // 320, np.float32) for p in pieces]

    config = SegmentConfig(trust_in_opinion=1.0)
    spans = find_spans(made, config, sure, reader)
    assert read == [(29.5, 32.0)]
    assert [(s.start, s.end) for s in spans if s.kind == "speech"] == [(5, 20), (30, 32)]


def test_no_more_than_its_share_of_a_recording_is_asked_about() -> None:
    made = table(600)
    made.speech[:] = 127
    asked = unsure_regions(made, SegmentConfig(opinion_share=0.1))
    assert (asked[:, 1] - asked[:, 0]).sum() <= 0.1 * len(made.speech)
    assert (asked[:, 1] - asked[:, 0]).max() <= 500
