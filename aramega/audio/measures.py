"""How good a recording, or a stretch of it, sounds: loudness, signal to noise, bandwidth.

All are read off the frame table, so measuring a segment or a passage costs no decoding. Signal to noise compares
speech with the quiet around it and is an estimate: in a stretch without any pause the quietest frames stand for the
noise.
"""

from __future__ import annotations

import math

import numpy as np

from aramega.audio.levels import gated_loudness, highest_frequency, power_of
from aramega.audio.table import FrameTable
from aramega.records import RATE

HIGHEST_SNR = 60.0
BAND_SECONDS = 2.0


def loudness(table: FrameTable, start: float, end: float) -> float | None:
    """Gated loudness in LUFS of a stretch; None where all of it is below the gate (-70 LUFS)."""
    return gated_loudness(table.loudness[max(0, round(start * 10)) : max(round(end * 10), round(start * 10) + 1)])


def snr_db(table: FrameTable, start: float, end: float) -> float | None:
    """Speech power over noise power in dB, from 0 to 60; None where there is no speech in the stretch."""
    a, b = table.frame(start), max(table.frame(end), table.frame(start) + 1)
    spoken = table.speech[a:b] >= 128
    if not spoken.any():
        return None
    signal = np.mean(power_of(table.level[a:b][spoken]))
    noise = _noise_power(table, a, b)
    if signal <= noise:
        return 0.0
    return float(np.clip(10 * np.log10((signal - noise) / noise), 0.0, HIGHEST_SNR))


def bandwidth(table: FrameTable, start: float, end: float) -> float:
    """The highest frequency in Hz that carries signal in a stretch, to the nearest band of 250 Hz."""
    first = int(start / BAND_SECONDS)
    rows = table.bands[first : max(first + 1, math.ceil(end / BAND_SECONDS))]
    if not len(rows):
        return 0.0
    return highest_frequency(power_of(rows).mean(axis=0), RATE / 2 / rows.shape[1])


def _noise_power(table: FrameTable, a: int, b: int, around: int = 250) -> float:
    """Median power of the frames without speech in the stretch and 5 s about it, music left out; else its quietest."""
    a, b = max(0, a - around), min(len(table.level), b + around)
    level = table.level[a:b]
    quiet = (table.speech[a:b] < 26) & (table.music_frames(a, b) < 128)
    if quiet.sum() >= 10:
        return float(power_of(np.median(level[quiet])))
    return float(power_of(np.percentile(level, 2)))
