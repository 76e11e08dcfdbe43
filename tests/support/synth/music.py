"""Music of additive, plucked and frequency-modulated notes, in two families that must not meet.

`MUSIC` is what the speech model may be fitted on; `HELD_OUT_MUSIC` is never shown to it and is what tests and
benchmarks judge it by. The makers leave the level to whoever uses them. Singing is music here, not speech.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.support.synth.shaping import RATE, Maker, Rng, band_passed, scaled

SCALES = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 1, 4, 5, 7, 8, 11), (0, 1.5, 3.5, 5, 7, 8.5, 10.5),
    (0, 1.5, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10),
)  # fmt: skip


@dataclass(frozen=True)
class Timbre:
    """How one note sounds: partials with their own strength and decay, an attack, a vibrato."""

    partials: tuple[tuple[float, float, float], ...]  # (frequency ratio, amplitude, decay per second)
    attack: float
    release: float = 0.03
    vibrato: float = 0.0  # depth as a share of the frequency
    vibrato_hz: float = 5.5

    @classmethod
    def random(cls, rng: Rng, *, sustained: bool) -> Timbre:
        count, tilt = int(rng.integers(1, 18)), rng.uniform(0.3, 2.0)
        odd, stiff = rng.random() < 0.3, rng.choice([0.0, 0.0, 0.0005, 0.003])
        decay, faster = (0.0, 0.0) if sustained else (rng.uniform(0.5, 9), rng.uniform(0, 1.2))
        partials = []
        for k in range(1, count + 1):
            ratio = (2 * k - 1 if odd else k) * np.sqrt(1 + stiff * k * k)
            partials.append((float(ratio), float(rng.uniform(0.3, 1) * k**-tilt), float(decay + faster * k)))
        return cls(
            tuple(partials),
            attack=float(rng.uniform(0.02, 0.4) if sustained else rng.uniform(0.001, 0.02)),
            vibrato=float(rng.choice([0, 0, rng.uniform(0.002, 0.02)])),
            vibrato_hz=float(rng.uniform(3, 8)),
        )


def note(hz: float, seconds: float, timbre: Timbre) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    wobble = timbre.vibrato / (2 * np.pi * timbre.vibrato_hz) * np.cos(2 * np.pi * timbre.vibrato_hz * t)
    out = np.zeros(len(t))
    for ratio, amplitude, decay in timbre.partials:
        if hz * ratio < 7800:
            out += amplitude * np.exp(-decay * t) * np.sin(2 * np.pi * hz * ratio * (t + wobble))
    return out * np.minimum(1, t / timbre.attack) * np.minimum(1, (seconds - t) / timbre.release)


def _place(out: np.ndarray, at: float, sound: np.ndarray, gain: float = 1.0) -> None:
    a = int(at * RATE)
    n = min(len(sound), len(out) - a)
    if n > 0:
        out[a : a + n] += sound[:n] * gain


def melody(
    rng: Rng, seconds: float, timbre: Timbre | None = None, *, low: float = 110, legato: float | None = None
) -> np.ndarray:
    """Notes of a scale, one after another: arpeggios, plucked strings, leads, depending on the timbre."""
    timbre = timbre or Timbre.random(rng, sustained=bool(rng.random() < 0.4))
    out, scale = np.zeros(int(seconds * RATE)), SCALES[rng.integers(len(SCALES))]
    root, beat = low * 2 ** rng.uniform(0, 2), 60 / rng.uniform(60, 190)
    lengths, step = rng.choice([0.25, 0.5, 0.5, 1.0, 2.0], 4), int(rng.integers(0, 7))
    hold = legato or rng.uniform(0.6, 2.5)
    at = 0.0
    while at < seconds:
        step = int(np.clip(step + rng.integers(-3, 4), -5, 14))
        hz = root * 2 ** (scale[step % len(scale)] / 12 + step // len(scale))
        length = float(rng.choice(lengths)) * beat
        if rng.random() > 0.08:
            _place(out, at, note(hz, min(length * hold, seconds), timbre), rng.uniform(0.5, 1))
        at += length
    return out


def chords(rng: Rng, seconds: float, timbre: Timbre | None = None) -> np.ndarray:
    timbre = timbre or Timbre.random(rng, sustained=bool(rng.random() < 0.4))
    out, root = np.zeros(int(seconds * RATE)), rng.uniform(80, 420)
    beat = rng.uniform(0.25, 1.2) if timbre.attack < 0.05 else rng.uniform(1, 4)
    ratios = [(1, 1.26, 1.5), (1, 1.19, 1.5), (1, 1.335, 1.68), (1, 1.26, 1.5, 1.89), (1, 1.5), (1, 1.19, 1.41, 1.78)]
    for at in np.arange(0, seconds, beat):
        base = root * 2 ** (rng.choice([0, 0, 5, 7, -5, 3, -2]) / 12)
        for ratio in ratios[rng.integers(len(ratios))]:
            _place(
                out,
                at,
                note(base * ratio * rng.uniform(0.997, 1.003), min(beat * rng.uniform(1, 2.5), seconds), timbre),
            )
    return out


def fm(rng: Rng, seconds: float) -> np.ndarray:
    """Frequency-modulated bells and electric pianos."""
    out, beat, root = np.zeros(int(seconds * RATE)), rng.uniform(0.12, 0.8), rng.uniform(110, 600)
    ratio, depth, decay = rng.choice([1, 1.41, 2, 2.76, 3.5, 7]), rng.uniform(0.5, 6), rng.uniform(1, 7)
    scale = SCALES[rng.integers(len(SCALES))]
    for at in np.arange(0, seconds, beat):
        t = np.arange(int(min(seconds, beat * rng.uniform(1, 3)) * RATE)) / RATE
        hz, fade = root * 2 ** (rng.choice(scale) / 12), np.exp(-decay * t)
        _place(out, at, fade * np.sin(2 * np.pi * hz * t + depth * fade * np.sin(2 * np.pi * hz * ratio * t)))
    return out


def drums(rng: Rng, seconds: float) -> np.ndarray:
    out, step = np.zeros(int(seconds * RATE)), 60 / rng.uniform(70, 170) / 4
    t = np.arange(int(0.3 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (rng.uniform(40, 70) * t + rng.uniform(1, 6) * (1 - np.exp(-t * 40)) / 2)) * np.exp(
        -t * rng.uniform(8, 20)
    )
    crack = rng.standard_normal(len(t))
    snare = crack * np.exp(-t * rng.uniform(12, 40)) + np.sin(2 * np.pi * rng.uniform(150, 260) * t) * np.exp(-t * 25)
    hat = band_passed(crack, rng.uniform(3000, 6000), 8000) * np.exp(-t * rng.uniform(30, 120))
    patterns = [
        (kick, rng.random(16) < 0.3, 1.0),
        (snare, rng.random(16) < 0.2, 0.6),
        (hat, rng.random(16) < 0.6, 0.35),
    ]
    for i in range(int(seconds / step) + 1):
        for sound, hits, gain in patterns:
            if hits[i % 16]:
                _place(out, i * step, sound, gain * rng.uniform(0.7, 1))
    return out


def pad(rng: Rng, seconds: float) -> np.ndarray:
    """Slow detuned chords under a moving filter."""
    out = chords(rng, seconds, Timbre.random(rng, sustained=True))
    dull = band_passed(out, 0, rng.uniform(400, 1500))
    sweep = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.05, 0.6) * np.arange(len(out)) / RATE)
    return out * sweep + dull * (1 - sweep)


VOWELS = ((700, 1200, 2600), (300, 2200, 2900), (350, 800, 2500), (500, 1800, 2500), (550, 950, 2450))


def singing(rng: Rng, seconds: float) -> np.ndarray:
    """Held notes of harmonics under vowel formants, with vibrato: a choir or a singer, not speech."""
    out, scale = np.zeros(int(seconds * RATE)), SCALES[rng.integers(len(SCALES))]
    root, at, step = rng.uniform(110, 330), 0.0, 2
    while at < seconds:
        length, step = rng.uniform(0.5, 2.2), int(np.clip(step + rng.integers(-2, 3), -2, 9))
        hz = root * 2 ** (scale[step % len(scale)] / 12 + step // len(scale))
        formants = VOWELS[rng.integers(len(VOWELS))]
        partials = []
        for k in range(1, int(5000 / hz)):
            envelope = sum(1 / (1 + ((k * hz - f) / (60 + 0.06 * f)) ** 2) for f in formants)
            partials.append((float(k), float(envelope * k**-0.3), 0.0))
        timbre = Timbre(
            tuple(partials),
            attack=0.08,
            release=0.1,
            vibrato=rng.uniform(0.008, 0.025),
            vibrato_hz=rng.uniform(4.5, 6.5),
        )
        _place(out, at, note(hz, min(length * 1.05, seconds), timbre))
        at += length
    return out


def band(rng: Rng, seconds: float) -> np.ndarray:
    """Drums, a bass and something on top."""
    top = (melody, chords, fm, pad)[rng.integers(4)]
    mix = scaled(drums(rng, seconds), rng.uniform(0.3, 1)) + scaled(top(rng, seconds), 1.0)
    return mix + scaled(melody(rng, seconds, low=40), rng.uniform(0.2, 0.8))


def pips(rng: Rng, seconds: float) -> np.ndarray:
    """Time signals, ring tones and test tones: bare sines switched on and off."""
    out, tone, gap = (
        np.zeros(int(seconds * RATE)),
        rng.choice([0.05, 0.1, 0.2, 0.5, 2.0]),
        rng.choice([0.05, 0.1, 0.5, 0.9]),
    )
    pair = rng.uniform(300, 2500, 2)
    for i, at in enumerate(np.arange(0, seconds, tone + gap)):
        timbre = Timbre(
            ((1.0, 1.0, 0.0), (pair[i % 2] / pair[0], float(rng.random() < 0.5), 0.0)), attack=0.003, release=0.004
        )
        _place(out, at, note(pair[0], tone, timbre))
    return out


def chiptune(rng: Rng, seconds: float) -> np.ndarray:
    """Square waves and hiss, as an old game console plays."""
    square = Timbre(tuple((2.0 * k - 1, 1 / (2 * k - 1), 0.0) for k in range(1, 12)), attack=0.002, release=0.005)
    hiss = rng.standard_normal(int(seconds * RATE)) * (np.arange(int(seconds * RATE)) % 4000 < 500) * 0.15
    return (
        melody(rng, seconds, square, low=160, legato=0.9)
        + 0.7 * melody(rng, seconds, square, low=60, legato=0.9)
        + hiss
    )


def oud(rng: Rng, seconds: float) -> np.ndarray:
    """Karplus-Strong plucked strings in a quarter-tone scale, with fast repeated plucks."""
    out, scale, root, at, step = np.zeros(int(seconds * RATE)), SCALES[3], rng.uniform(90, 150), 0.0, 3
    while at < seconds:
        step = int(np.clip(step + rng.integers(-2, 3), -4, 12))
        period = int(RATE / (root * 2 ** (scale[step % 7] / 12 + step // 7)))
        string, rows = rng.uniform(-1, 1, period), []
        for _ in range(int(0.9 * RATE / period)):
            rows.append(string)
            string = 0.498 * (string + np.roll(string, 1))
        length = float(rng.choice([0.09, 0.18, 0.18, 0.36, 0.72]))
        _place(out, at, np.concatenate(rows), rng.uniform(0.5, 1))
        at += length
    return out


def strings(rng: Rng, seconds: float) -> np.ndarray:
    """A bowed section: detuned saw-like voices that slide into their notes."""
    t = np.arange(int(seconds * RATE)) / RATE
    out = np.zeros(len(t))
    for voice in (1.0, 1.26, 1.5, 2.0):
        steps = rng.choice([0, 2, 4, 5, 7, -1, -3], int(seconds / 1.2) + 2) / 12
        glide = np.convolve(2 ** np.repeat(steps, int(1.2 * RATE))[: len(t)], np.ones(1600) / 1600, "same")
        for detune in (0.996, 1.0, 1.005):
            phase = 2 * np.pi * np.cumsum(rng.uniform(210, 230) * voice * detune * glide) / RATE
            out += sum(np.sin(k * phase) / k for k in range(1, 9))
    return out * (0.7 + 0.3 * np.sin(2 * np.pi * 0.3 * t))


def gamelan(rng: Rng, seconds: float) -> np.ndarray:
    """Struck metal: inharmonic partials that ring on."""
    bell = Timbre(((1.0, 1.0, 1.5), (2.76, 0.6, 2.5), (5.4, 0.4, 4.0), (8.9, 0.25, 6.0)), attack=0.002)
    return melody(rng, seconds, bell, low=180, legato=4.0)


MUSIC: dict[str, Maker] = {
    "melody": melody, "chords": chords, "fm": fm, "drums": drums, "pad": pad, "singing": singing, "band": band,
    "pips": pips,
}  # fmt: skip
HELD_OUT_MUSIC: dict[str, Maker] = {"chiptune": chiptune, "oud": oud, "strings": strings, "gamelan": gamelan}
