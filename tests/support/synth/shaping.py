"""What a microphone, a room and a line do to a sound: filters, echoes and levels.

Each takes samples at `RATE` and gives back as many, so the truth about where things are stays true. Filtering is one
multiplication of the whole spectrum: exact at the cutoffs and simple to reason about, at the price of whole arrays in
memory. What changes the voice itself is `delivery.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

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


def in_a_hall(rng: Rng, audio: np.ndarray, seconds: float, direct_db: float = 0.0) -> np.ndarray:
    """`audio` in a room where a sound takes `seconds` to fall by 60 dB, kept within its length.

    First reflections from six walls, then noise whose treble dies sooner than its bass. `direct_db` is how much louder
    what comes straight is than all that comes after.
    """
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    bass, treble = (rng.standard_normal(n) * np.exp(-6.9 * t / (seconds * s)) for s in (1.0, rng.uniform(0.3, 0.7)))
    late = band_passed(bass, 60, 1500) + band_passed(treble, 1500, 8000)
    late *= np.clip(t / rng.uniform(0.005, 0.04), 0, 1)
    for delay in rng.uniform(0.002, 0.06, 6):
        late[int(delay * RATE)] += rng.choice([-1, 1]) * rng.uniform(2, 8)
    room = late * (10 ** (-direct_db / 20) / np.sqrt(np.sum(late**2)))
    room[0] += 1.0
    size = next_fast_len(len(audio) + n, real=True)
    return irfft(rfft(audio, size) * rfft(room, size), size)[: len(audio)].astype(np.float32)


def echoed(rng: Rng, audio: np.ndarray) -> np.ndarray:
    """`audio` through an echo machine: the same again and again, each time softer and duller."""
    out, repeat = audio.astype(np.float32).copy(), audio
    delay, gain, top = int(rng.uniform(0.06, 0.45) * RATE), rng.uniform(0.2, 0.6), rng.uniform(2000, 7000)
    for i in range(1, 6):
        repeat = band_passed(repeat, 80, top) * gain
        out[i * delay :] += repeat[: max(0, len(audio) - i * delay)]
    return out


def scaled(audio: np.ndarray, rms: float) -> np.ndarray:
    return (audio * (rms / (np.sqrt(np.mean(np.square(audio, dtype=np.float64))) + 1e-9))).astype(np.float32)
