"""Repeats: the same sound is known again, another is not."""

from __future__ import annotations

import numpy as np
import pytest

from aramega.audio.frames import FrameAnalyzer
from aramega.audio.landmarks import Landmarks
from aramega.audio.repeats import find_matches
from aramega.records import RATE


def babbling(seed: int, seconds: float) -> np.ndarray:
    """Syllables of random pitch, colour, length and level: as irregular as speech, and no two alike."""
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal(int(seconds * RATE)) * 1e-4
    at = 0
    while at < len(sound) - RATE:
        length = int(rng.uniform(0.08, 0.4) * RATE)
        time = np.arange(length) / RATE
        pitch = rng.uniform(90, 300) * (1 + rng.uniform(-0.3, 0.3) * time)
        tones = sum(
            np.sin(2 * np.pi * k * np.cumsum(pitch) / RATE) * rng.exponential() for k in range(1, 24) if k * 300 < 7900
        )
        sound[at : at + length] += tones * np.hanning(length) * rng.uniform(0.01, 0.08)
        at += length + int(rng.exponential(0.08) * RATE)
    return sound.astype(np.float32)


def landmarks(sound: np.ndarray) -> Landmarks:
    analyzer = FrameAnalyzer()
    analyzer.feed(sound)
    return analyzer.finish().landmarks


@pytest.fixture(scope="module")
def archive() -> dict[str, np.ndarray]:
    return {"first": babbling(1, 70), "second": babbling(2, 70)}


@pytest.fixture(scope="module")
def listed(archive: dict[str, np.ndarray]) -> list[tuple[str, Landmarks]]:
    return [(name, landmarks(sound)) for name, sound in archive.items()]


def faster(sound: np.ndarray, speed: float) -> np.ndarray:
    return np.interp(np.arange(0, len(sound) - 1, speed), np.arange(len(sound)), sound).astype(np.float32)


@pytest.mark.parametrize("speed", [0.97, 1.0, 1.03])
def test_a_stretch_is_found_louder_faster_and_in_noise(
    archive: dict[str, np.ndarray], listed: list[tuple[str, Landmarks]], speed: float
) -> None:
    stretch = archive["second"][20 * RATE : 45 * RATE]
    noise = np.random.default_rng(3).standard_normal(len(stretch)) * np.sqrt((stretch**2).mean() / 10)
    played = np.concatenate((babbling(9, 10), faster(3 * (stretch + noise), speed), babbling(10, 10)))
    (match,) = find_matches(landmarks(played), listed)
    assert match.of == "second"
    assert match.start == pytest.approx(10, abs=3)
    assert match.end == pytest.approx(10 + 25 / speed, abs=3)
    assert match.of_start - match.start == pytest.approx(10, abs=1)


def test_another_sound_is_no_repeat(listed: list[tuple[str, Landmarks]]) -> None:
    assert find_matches(landmarks(babbling(4, 70)), listed) == []


def test_a_jingle_is_found_earlier_in_its_own_recording() -> None:
    jingle = babbling(5, 8)
    own = landmarks(np.concatenate((babbling(6, 15), jingle, babbling(7, 20), jingle, babbling(8, 5))))
    (match,) = find_matches(own, [("own", own)], own_id="own")
    assert match.start == pytest.approx(43, abs=2)
    assert match.of_start == pytest.approx(15, abs=2)


@pytest.mark.parametrize(
    "sound",
    [np.zeros(30 * RATE), 0.1 * np.sin(np.arange(30 * RATE) * 0.2), np.zeros(0), np.ones(10)],
    ids=["silence", "a tone", "nothing", "ten samples"],
)
def test_what_is_no_speech_repeats_nothing(sound: np.ndarray, listed: list[tuple[str, Landmarks]]) -> None:
    own = landmarks(sound.astype(np.float32))
    assert find_matches(own, [*listed, ("own", own)], own_id="own") == []
    assert find_matches(listed[0][1], [("own", own)]) == []
