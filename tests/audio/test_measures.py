"""Measures against known signals, and loudness against ffmpeg's ebur128."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
import soundfile as sf

from aramega.audio.frames import FrameAnalyzer
from aramega.audio.measures import bandwidth, loudness, snr_db
from aramega.audio.table import FrameTable
from tests.support import synth

RATE = synth.RATE


def table_of(audio: np.ndarray) -> FrameTable:
    analyzer = FrameAnalyzer()
    analyzer.feed(audio.astype(np.float32))
    return analyzer.finish()


def speech(seconds: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    speaker, parts = synth.EspeakSpeaker("ar", 150, 50), []
    while sum(map(len, parts)) < seconds * RATE:
        parts += [speaker.utterance(rng), np.zeros(int(0.6 * RATE), np.float32)]
    return synth.scaled(np.concatenate(parts)[: int(seconds * RATE)], 0.08)


def half_silent() -> np.ndarray:
    return np.concatenate((speech(12), np.zeros(12 * RATE, np.float32), speech(6, seed=2) * 0.05))


SIGNALS = {
    "speech": lambda: speech(20),
    "speech with long silence": half_silent,
    "pink noise": lambda: synth.coloured(np.random.default_rng(1), 20, 0.5) * 0.05,
    "white noise": lambda: synth.coloured(np.random.default_rng(2), 20, 0.0) * 0.05,
    "music": lambda: synth.scaled(synth.band(np.random.default_rng(3), 20), 0.1),
    "deep hum": lambda: synth.scaled(synth.hum(np.random.default_rng(4), 20), 0.1),
    "1 kHz": lambda: 0.1 * np.sin(2 * np.pi * 1000 * np.arange(20 * RATE) / RATE),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_loudness_agrees_with_ffmpeg(name: str, tmp_path) -> None:
    """Within 0.2 LU: ffmpeg prints one decimal, and weighting 32 ms spectra blurs the filter's corner at 38 Hz."""
    audio = SIGNALS[name]()
    sf.write(tmp_path / "a.wav", audio, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(tmp_path / "a.wav"), "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    theirs = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])
    assert table_of(audio).measures.loudness_lufs == pytest.approx(theirs, abs=0.2)


def test_a_stretch_has_its_own_loudness() -> None:
    loud = speech(12)
    table = table_of(np.concatenate((loud, loud * 0.1)))
    first, second = loudness(table, 0, 12), loudness(table, 12, 24)
    assert first is not None
    assert second is not None
    assert first - second == pytest.approx(20, abs=0.3)
    assert table.measures.loudness_lufs == pytest.approx(first - 3, abs=3)


def test_silence_has_no_loudness() -> None:
    table = table_of(np.zeros(5 * RATE))
    assert table.measures.loudness_lufs is None
    assert loudness(table, 1, 3) is None


@pytest.mark.parametrize("hz", [1000, 3400, 4000, 5500, 7000])
def test_bandwidth_is_where_low_passed_noise_ends(hz: int) -> None:
    noise = synth.band_passed(synth.coloured(np.random.default_rng(1), 10, 0.0) * 0.05, 0, hz)
    table = table_of(noise)
    assert table.measures.bandwidth_hz == pytest.approx(hz, abs=200)  # side lobes of the window
    assert bandwidth(table, 2.0, 8.0) == pytest.approx(hz, abs=360)  # and bands of 250 Hz


def test_full_band_noise_reaches_eight_kilohertz() -> None:
    assert table_of(synth.coloured(np.random.default_rng(1), 5, 0.0) * 0.05).measures.bandwidth_hz == 8000


def test_a_telephone_guest_is_told_from_the_studio() -> None:
    voice = speech(12)
    table = table_of(np.concatenate((voice, synth.band_passed(voice, 300, 3400))))
    assert bandwidth(table, 0, 11.5) > 6500
    assert bandwidth(table, 12.5, 24) == pytest.approx(3400, abs=300)


@pytest.mark.parametrize("snr", [5, 10, 20, 30])
def test_signal_to_noise_is_near_what_was_mixed(snr: float) -> None:
    voice = speech(30)
    spoken = voice[np.abs(voice) > 0]
    noise = synth.coloured(np.random.default_rng(1), 30.1, 0.5)[: len(voice)]
    level = np.sqrt(np.mean(spoken**2)) * 10 ** (-snr / 20)
    found = snr_db(table_of(voice + noise * level), 0, 30)
    assert found == pytest.approx(snr, abs=2.5)


def test_clean_speech_reaches_the_ceiling_and_noise_alone_has_no_ratio() -> None:
    assert snr_db(table_of(speech(20)), 0, 20) == 60
    assert snr_db(table_of(synth.coloured(np.random.default_rng(1), 10, 0.5) * 0.02), 0, 10) is None


def test_an_offset_is_measured_and_does_not_count_as_loudness_or_level() -> None:
    voice = speech(10)
    plain, shifted = table_of(voice), table_of(voice + 0.2)
    assert shifted.measures.dc_offset == pytest.approx(0.2, abs=1e-3)
    assert shifted.measures.loudness_lufs == pytest.approx(plain.measures.loudness_lufs, abs=0.1)


def test_clipping_is_counted() -> None:
    sine = np.clip(1.2 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE), -1, 1)
    share = float(np.mean(np.abs(sine) >= 1))
    assert table_of(sine).measures.clipped_share == pytest.approx(share, abs=1e-3)
