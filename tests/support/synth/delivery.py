"""Other ways of saying the same: faster, slower, chanted, whispered, from another throat, now louder and now softer.

espeak's voices are few and even; these make many uneven ones of them. All but `stretch`, `slowed` and `chanted` keep
the length of what they are given. Those that resynthesise work as a vocoder does: the spectral envelope of short frames is kept, and what
fills it is replaced.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft

from tests.support.synth.shaping import RATE, Rng, scaled


def stretch(audio: np.ndarray, factor: float) -> np.ndarray:
    """Play `audio` `factor` times faster: pitch and formants move along, which makes another speaker of it."""
    return np.interp(np.arange(0, len(audio) - 1, factor), np.arange(len(audio)), audio).astype(np.float32)


def whisper(rng: Rng, speech: np.ndarray) -> np.ndarray:
    """Keep the spectral envelope, replace the voice by noise: what whispering does."""
    n, hop = 512, 128
    padded = np.pad(speech, (n, n)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[::hop] * np.hanning(n).astype(np.float32)
    envelope = np.abs(rfft(frames, axis=1))
    kernel = np.hanning(15) / np.hanning(15).sum()
    envelope = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, envelope)
    breath = irfft(envelope * np.exp(2j * np.pi * rng.random(envelope.shape)), n, axis=1) * np.hanning(n)
    out = np.zeros(len(padded) + n)
    for i, frame in enumerate(breath):
        out[i * hop : i * hop + n] += frame
    return out[n : n + len(speech)].astype(np.float32)


def revoiced(rng: Rng, speech: np.ndarray) -> np.ndarray:
    """The same words from another throat: the envelope of `speech` over a new pitch that rises and falls."""
    points = max(3, int(len(speech) / RATE * 4))
    contour = rng.uniform(75, 280) * 2 ** rng.normal(0, 0.25, points)
    hz = np.interp(np.linspace(0, points - 1, len(speech)), np.arange(points), contour)
    return _resynthesised(rng, np.abs(_spectra(speech)), hz)


def chanted(rng: Rng, speech: np.ndarray, slowness: float = 1.6, held: float = 3.0) -> np.ndarray:
    """`speech` as it is recited: slower, some vowels held `held` times as long, on the notes of a scale.

    Longer than what was given. The pitch slides from note to note, and trembles where a note is held.
    """
    original = np.abs(_spectra(speech))
    power = (original**2).sum(axis=1)
    vowel = (power > np.percentile(power, 60)) & (original[:, 3:40].sum(axis=1) > original[:, 60:].sum(axis=1))
    chosen = np.repeat(rng.random(len(original) // 40 + 1) < 0.5, 40)[: len(original)]
    ends = np.cumsum(np.where(vowel & chosen, held, 1.0) * slowness)
    frames = np.minimum(np.searchsorted(ends, np.arange(int(ends[-1]))), len(original) - 1)
    return _resynthesised(rng, original[frames], _recited_pitch(rng, len(frames) * _HOP))


def slowed(audio: np.ndarray, factor: float) -> np.ndarray:
    """`audio`, `factor` times as long at the same pitch: overlapping pieces, each laid where it fits the last best."""
    size, hop, reach = 640, 320, 160
    window = np.hanning(size).astype(np.float32)
    padded = np.pad(audio, (reach, size + 2 * reach)).astype(np.float32)
    out = np.zeros(int(len(audio) * factor) + 2 * size, np.float32)
    follow = padded[reach : reach + size]
    for at in range(0, int(len(audio) * factor), hop):
        near = int(at / factor)
        field = padded[near : near + size + 2 * reach]
        best = int(np.argmax(np.correlate(field[: hop + 2 * reach], follow[:hop], "valid")))
        out[at : at + size] += field[best : best + size] * window
        follow = padded[near + best + hop : near + best + hop + size]
        if len(follow) < size:
            break
    return out[: int(len(audio) * factor)]


_FRAME, _HOP = 512, 128


def _spectra(sound: np.ndarray) -> np.ndarray:
    padded = np.pad(sound, _FRAME).astype(np.float32)
    window = np.hanning(_FRAME).astype(np.float32)
    return rfft(np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP] * window, axis=1)


def _resynthesised(rng: Rng, original: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """The envelopes of `original`, frames of a spectrum, over pulses of pitch `hz`; hisses stay hisses."""
    pulses = np.diff(np.floor(np.cumsum(hz / RATE)), prepend=0.0)
    source = _spectra(pulses + rng.standard_normal(len(hz)) * rng.uniform(0.005, 0.08))
    n = min(len(source), len(original))
    original, source = original[:n], source[:n]
    breath = np.abs(_spectra(rng.standard_normal(len(hz))))[:n] * np.exp(2j * np.pi * rng.random(original.shape)) * 0.1
    hissing = (original[:, 100:].sum(axis=1) > 0.6 * original[:, 3:100].sum(axis=1))[:, None]
    kernel = np.hanning(13) / np.hanning(13).sum()
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, original)
    bins = np.minimum(np.arange(_FRAME // 2 + 1) / rng.uniform(0.8, 1.25), _FRAME // 2)  # another length of throat
    smooth = np.apply_along_axis(lambda row: np.interp(bins, np.arange(_FRAME // 2 + 1), row), 1, smooth)
    frames = irfft(np.where(hissing, breath, source) * smooth, _FRAME, axis=1) * np.hanning(_FRAME)
    out = np.zeros(len(hz) + 3 * _FRAME)
    for i, frame in enumerate(frames):
        out[i * _HOP : i * _HOP + _FRAME] += frame
    return scaled(out[_FRAME : _FRAME + len(hz)], 0.1)


def _recited_pitch(rng: Rng, samples: int) -> np.ndarray:
    """Hertz of each sample: a slow walk over the steps of a scale, with slides, a little drift and some vibrato."""
    steps = np.cumsum([0, *rng.choice([1.0, 1.5, 1.5, 2.0, 2.0], 6)])
    place, at, semitones = int(rng.integers(0, 4)), 0, np.zeros(samples)
    while at < samples:
        length = int(rng.uniform(0.15, 1.4) * RATE)
        semitones[at : at + length] = steps[place]
        place, at = int(np.clip(place + rng.choice([-2, -1, -1, 0, 0, 1, 1, 2]), 0, 6)), at + length
    slide = int(rng.uniform(0.03, 0.25) * RATE)
    padded = np.pad(semitones, (slide, slide), mode="edge")
    total = np.cumsum(padded)
    semitones = ((total[slide:] - total[:-slide]) / slide)[:samples]
    t = np.arange(samples) / RATE
    semitones += rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * t)
    drift = np.interp(t, np.arange(int(t[-1]) + 2) if samples else [0, 1], rng.normal(0, 0.3, int(t[-1]) + 2))
    return rng.uniform(85, 240) * 2 ** ((semitones + drift) / 12)


def swung(rng: Rng, audio: np.ndarray, depth_db: float = 8.0) -> np.ndarray:
    """Louder and softer as it goes, as when a speaker turns from the microphone or whispers a word."""
    points = max(2, int(len(audio) / RATE * 2.5))
    curve = np.interp(
        np.linspace(0, points - 1, len(audio)), np.arange(points), rng.uniform(-depth_db, depth_db / 2, points)
    )
    return (audio * 10 ** (curve / 20)).astype(np.float32)
