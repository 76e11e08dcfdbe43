"""Noises that are neither speech nor music, by name in `NOISES`: hiss, hum, crowds, clicks, applause, babble.

All but `tilted`, whose tone curve moves it, come at an RMS of about 1. Babble is many voices at once, none of which
can be followed: it counts as noise, though it is made of speech.
"""

from __future__ import annotations

import numpy as np

from tests.support.synth.shaping import RATE, Maker, Rng, equalised, filtered, reverberated, scaled
from tests.support.synth.voices import EspeakSpeaker


def coloured(rng: Rng, seconds: float, slope: float) -> np.ndarray:
    """Noise whose amplitude spectrum falls as f^-slope: 0 white, 0.5 pink, 1 brown."""
    n = int(seconds * RATE)
    noise = filtered(rng.standard_normal(n).astype(np.float32), lambda hz: np.maximum(hz, 20.0) ** -slope)
    return scaled(noise, 1.0)


def babble(rng: Rng, seconds: float) -> np.ndarray:
    n = int(min(seconds, 12.0) * RATE)  # repeated after that: voices are slow to make
    out = np.zeros(n, np.float32)
    for _ in range(rng.integers(8, 14)):
        speaker, at = EspeakSpeaker.random(rng), -int(rng.integers(0, RATE))
        while at < n:
            voice = speaker.utterance(rng)
            if len(voice) < RATE // 2:
                continue
            a, b = max(0, at), min(n, at + len(voice))
            if b > a:
                out[a:b] += voice[a - at : b - at]
            at += len(voice)
    return np.resize(scaled(reverberated(rng, out), 1.0), int(seconds * RATE))


def hum(rng: Rng, seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    base, out = rng.choice([50.0, 60.0, 100.0, 120.0]), coloured(rng, seconds, 0.5) * rng.uniform(0.02, 0.3)
    for k in range(1, rng.integers(3, 20)):
        out = out + np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) * rng.uniform(0, 1) / k
    return scaled(out, 1.0)


def crowd(rng: Rng, seconds: float) -> np.ndarray:
    """Noise that swells at a few hertz within a speech-like band: a hall, a street, surf."""
    n = int(seconds * RATE)
    noise = filtered(
        coloured(rng, seconds, rng.uniform(0.3, 0.9)), lambda hz: 1 / (1 + ((hz - 700) / rng.uniform(600, 2500)) ** 2)
    )
    points = max(3, int(seconds * rng.uniform(0.3, 4)))
    swell = np.interp(np.linspace(0, points - 1, n), np.arange(points), rng.uniform(0.2, 1.0, points))
    return scaled(noise * swell, 1.0)


def clicks(rng: Rng, seconds: float) -> np.ndarray:
    out = coloured(rng, seconds, 0.5) * 0.02
    for at in rng.integers(0, max(1, len(out) - 800), max(1, int(seconds * rng.uniform(0.5, 12)))):
        n = int(rng.integers(20, 800))
        out[at : at + n] += (
            rng.standard_normal(n)[: len(out) - at]
            * np.exp(-np.arange(n) / (n / 5))[: len(out) - at]
            * rng.uniform(0.3, 1)
        )
    return scaled(out, 1.0)


def applause(rng: Rng, seconds: float) -> np.ndarray:
    n = int(seconds * RATE)
    out = np.zeros(n + 400, np.float32)
    clap = np.exp(-np.arange(400) / rng.uniform(30, 90))
    for at in rng.integers(0, n, int(seconds * rng.uniform(40, 300))):
        out[at : at + 400] += rng.standard_normal(400) * clap * rng.uniform(0.3, 1)
    return scaled(out[:n], 1.0)


NOISES: dict[str, Maker] = {
    "white": lambda rng, s: coloured(rng, s, 0.0),
    "pink": lambda rng, s: coloured(rng, s, 0.5),
    "brown": lambda rng, s: coloured(rng, s, 1.0),
    "tilted": lambda rng, s: equalised(rng, coloured(rng, s, rng.uniform(-0.3, 1.2)), 12),
    "babble": babble,
    "hum": hum,
    "crowd": crowd,
    "clicks": clicks,
    "applause": applause,
}
