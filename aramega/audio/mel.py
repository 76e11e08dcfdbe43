"""Sound as short spectra: the one Fourier transform that every measure and the speech model share.

A frame stands for 20 ms. Its Hann window is 32 ms long and centred on those 20 ms, so that a frame's time is
its slot's own and edges are not shifted. Powers are scaled so that a full-scale sine reads 0 dB in its bin.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from aramega.records import RATE

Floats = npt.NDArray[np.float32]

HOP = 320
WINDOW = 512
LEAD = (WINDOW - HOP) // 2
"""Samples of a frame's window that lie before its own 20 ms, and as many after."""
FRAMES_PER_SECOND = RATE // HOP
CACHED = 100
"""Frames transformed at a time: their 400 kB stay in the processor's cache, which makes it three times as fast."""
BINS = WINDOW // 2 + 1
BIN_HZ = RATE / WINDOW
MEL_BANDS = 40


def power_spectra(samples: Floats) -> Floats:
    """Spectra of every whole frame in `samples`, which begins `LEAD` samples before the first frame's slot."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.empty((len(frames), BINS), np.float32)
    for first in range(0, len(frames), CACHED):
        piece = slice(first, first + CACHED)
        spectrum = rfft(frames[piece] * _window(), axis=1)
        spectrum[:, 1] += spectrum[:, 0] / 2  # what a constant offset, which is no sound, puts there
        spectrum[:, 0] = 0
        np.multiply(spectrum.real, spectrum.real, out=power[piece])
        power[piece] += spectrum.imag * spectrum.imag
    return power


def decibels(power: Floats) -> Floats:
    """-140 where there is nothing, so that silence is a number too."""
    result: Floats = np.log10(power + np.float32(1e-14))
    result *= np.float32(10)
    return result


@cache
def _window() -> Floats:
    """Periodic Hann, scaled so that |X|² of a full-scale sine is 1."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.asarray(hann * 2 / hann.sum(), np.float32)


@cache
def mel_weights() -> Floats:
    """(BINS, MEL_BANDS) triangles from 40 Hz to 7.9 kHz, each summing to one; no band narrower than a bin."""
    edges = _from_mel(np.linspace(_to_mel(40.0), _to_mel(7900.0), MEL_BANDS + 2, dtype=np.float64))
    hz = np.arange(BINS) * BIN_HZ
    weights = np.zeros((BINS, MEL_BANDS))
    for band, (low, mid, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        rise, fall = max(mid - low, BIN_HZ), max(high - mid, BIN_HZ)
        weights[:, band] = np.clip(1 - np.maximum((mid - hz) / rise, (hz - mid) / fall), 0, None)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def _to_mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _from_mel(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))
