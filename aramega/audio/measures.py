"""How good a recording, or a stretch of it, sounds: loudness, signal to noise, bandwidth.

All are read off the frame table, so measuring a segment or a passage costs no decoding. Loudness is EBU R128's
K-weighted mean with both gates; the weighting is applied to the power spectrum instead of to the samples, which
agrees with ffmpeg's ebur128 to about 0.1 LU on speech and music. Signal to noise compares speech with the
quiet around it and is an estimate: in a stretch without any pause the quietest frames stand for the noise.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aramega.audio.mel import BIN_HZ, BINS
from aramega.records import RATE, Measures

if TYPE_CHECKING:
    from aramega.audio.table import FrameTable

__all__ = ["Measures", "bandwidth", "loudness", "snr_db"]

Floats = npt.NDArray[np.float32]

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
BELOW_PEAK_DB = 55.0
"""Speech at 8 kHz is some 45 dB under its strongest band; what a codec or a telephone cut off is 60 or more."""
FAINTEST_DB = -100.0
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
    signal = np.mean(_power(table.level[a:b][spoken]))
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
    return highest_frequency(_power(rows).mean(axis=0), RATE / 2 / rows.shape[1])


def highest_frequency(power: npt.NDArray[np.floating], band_hz: float) -> float:
    """The upper edge of the highest band that is not lost under the strongest one."""
    decibels = 10 * np.log10(power + 1e-14)
    heard = np.flatnonzero(decibels > max(decibels.max() - BELOW_PEAK_DB, FAINTEST_DB))
    return float(min(RATE / 2, (heard[-1] + 1) * band_hz)) if len(heard) else 0.0


def gated_loudness(tenths: npt.NDArray[np.uint8]) -> float | None:
    """EBU R128 over K-weighted levels of successive 100 ms: blocks of 400 ms, an absolute and a relative gate."""
    power: npt.NDArray[np.floating] = _power(tenths)
    if len(power) >= 4:
        power = (power[:-3] + power[1:-2] + power[2:-1] + power[3:]) / 4
    power = power[power > 10 ** (ABSOLUTE_GATE / 10)]
    if not len(power):
        return None
    power = power[power > power.mean(dtype=np.float64) * 10 ** (RELATIVE_GATE / 10)]
    return float(10 * np.log10(power.mean(dtype=np.float64)))


def _noise_power(table: FrameTable, a: int, b: int, around: int = 250) -> float:
    """Median power of the frames without speech in the stretch and 5 s about it, music left out; else its quietest."""
    a, b = max(0, a - around), min(len(table.level), b + around)
    level = table.level[a:b]
    quiet = (table.speech[a:b] < 26) & (table.music_frames(a, b) < 128)
    if quiet.sum() >= 10:
        return float(_power(np.median(level[quiet])))
    return float(_power(np.percentile(level, 2)))


def _power(quantised: npt.NDArray[np.generic] | np.floating) -> npt.NDArray[np.float32]:
    """Undo the table's half-decibel steps."""
    return np.asarray(10 ** ((np.asarray(quantised, np.float32) / 2 - 127.5) / 10), np.float32)


@cache
def k_weights() -> Floats:
    """Squared K-weighting (ITU-R BS.1770) at each bin, with the meter's offset of -0.691 dB."""
    z = np.exp(-2j * np.pi * np.arange(BINS) * BIN_HZ / 48_000)  # the standard gives its filters at 48 kHz
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high_pass) ** 2 * 10 ** (-0.0691), np.float32)
