"""Other ways of saying the same: faster, whispered, from another throat, now louder and now softer.

espeak's voices are few and even; these make many uneven ones of them. All but `stretch` keep the length of what they
are given. The two that resynthesise work as a vocoder does: the spectral envelope of short frames is kept, and what
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
    n, hop = 512, 128
    seconds = len(speech) / RATE
    points = max(3, int(seconds * 4))
    contour = rng.uniform(75, 280) * 2 ** rng.normal(0, 0.25, points)
    hz = np.interp(np.linspace(0, points - 1, len(speech)), np.arange(points), contour)
    phase = np.cumsum(hz / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0) + rng.standard_normal(len(speech)) * rng.uniform(0.005, 0.08)
    window = np.hanning(n).astype(np.float32)

    def spectra(sound: np.ndarray) -> np.ndarray:
        return rfft(
            np.lib.stride_tricks.sliding_window_view(np.pad(sound, n).astype(np.float32), n)[::hop] * window, axis=1
        )

    original, source = np.abs(spectra(speech)), spectra(pulses)
    breath = np.abs(spectra(rng.standard_normal(len(speech)))) * np.exp(2j * np.pi * rng.random(original.shape)) * 0.1
    hissing = (original[:, 100:].sum(axis=1) > 0.6 * original[:, 3:100].sum(axis=1))[:, None]
    kernel = np.hanning(13) / np.hanning(13).sum()
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, original)
    shift = rng.uniform(0.8, 1.25)  # a longer or shorter throat
    bins = np.minimum(np.arange(n // 2 + 1) / shift, n // 2)
    smooth = np.apply_along_axis(lambda row: np.interp(bins, np.arange(n // 2 + 1), row), 1, smooth)
    frames = irfft(np.where(hissing, breath, source) * smooth, n, axis=1) * window
    out = np.zeros(len(speech) + 3 * n)
    for i, frame in enumerate(frames):
        out[i * hop : i * hop + n] += frame
    return scaled(out[n : n + len(speech)], 0.1)


def swung(rng: Rng, audio: np.ndarray, depth_db: float = 8.0) -> np.ndarray:
    """Louder and softer as it goes, as when a speaker turns from the microphone or whispers a word."""
    points = max(2, int(len(audio) / RATE * 2.5))
    curve = np.interp(
        np.linspace(0, points - 1, len(audio)), np.arange(points), rng.uniform(-depth_db, depth_db / 2, points)
    )
    return (audio * 10 ** (curve / 20)).astype(np.float32)
