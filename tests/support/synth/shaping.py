"""What a microphone, a room and a line do to a sound: filters, echoes and levels.

Each takes samples at `RATE` and gives back as many, so the truth about where things are stays true. Filtering is one
multiplication of the whole spectrum: exact at the cutoffs and simple to reason about, at the price of whole arrays in
memory. What changes the voice itself is `delivery.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, rfft

RATE = 16_000
Rng = np.random.Generator
Maker = Callable[[Rng, float], np.ndarray]


def filtered(audio: np.ndarray, gain_at: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`audio` with its spectrum multiplied by `gain_at(hz)`."""
    if not len(audio):
        return audio
    spectrum = rfft(audio.astype(np.float32))
    return irfft(spectrum * gain_at(np.fft.rfftfreq(len(audio), 1 / RATE)).astype(np.float32), len(audio))


def band_passed(audio: np.ndarray, low: float, high: float) -> np.ndarray:
    return filtered(audio, lambda hz: ((hz >= low) & (hz <= high)).astype(np.float32))


def equalised(rng: Rng, audio: np.ndarray, depth_db: float = 9.0) -> np.ndarray:
    """A random smooth tone curve: another microphone, another room's colour."""
    knots, points = np.array([0, 150, 400, 1000, 2500, 5000, 8000.0]), rng.uniform(-depth_db, depth_db, 7)
    return filtered(audio, lambda hz: 10 ** (np.interp(hz, knots, points) / 20))


def reverberated(rng: Rng, audio: np.ndarray) -> np.ndarray:
    """A short decaying-noise room, kept within the length of `audio` so that the truth stays true."""
    n = int(rng.uniform(0.05, 0.5) * RATE)
    room = rng.standard_normal(n) * np.exp(-np.arange(n) * (6.9 / n)) * rng.uniform(0.05, 0.35)
    room[0] = 1.0
    size = len(audio) + n
    return irfft(rfft(audio, size) * rfft(room, size), size)[: len(audio)].astype(np.float32)


def scaled(audio: np.ndarray, rms: float) -> np.ndarray:
    return (audio * (rms / (np.sqrt(np.mean(np.square(audio, dtype=np.float64))) + 1e-9))).astype(np.float32)
