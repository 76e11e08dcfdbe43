"""Levels of sound: what the frame table's steps of half a decibel stand for, and what follows from many of them.

Loudness is EBU R128's K-weighted mean with both gates; the weighting is applied to the power spectrum instead of to
the samples, which agrees with ffmpeg's ebur128 to about 0.1 LU on speech and music. Whose levels they are, a
recording's or a stretch's, is not known here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from aramega.audio.mel import BIN_HZ, BINS
from aramega.records import RATE

Floats = npt.NDArray[np.float32]

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
BELOW_PEAK_DB = 55.0
"""Speech at 8 kHz is some 45 dB under its strongest band; what a codec or a telephone cut off is 60 or more."""
FAINTEST_DB = -100.0


def highest_frequency(power: npt.NDArray[np.floating], band_hz: float) -> float:
    """The upper edge of the highest band that is not lost under the strongest one."""
    decibels = 10 * np.log10(power + 1e-14)
    heard = np.flatnonzero(decibels > max(decibels.max() - BELOW_PEAK_DB, FAINTEST_DB))
    return float(min(RATE / 2, (heard[-1] + 1) * band_hz)) if len(heard) else 0.0


def gated_loudness(tenths: npt.NDArray[np.uint8]) -> float | None:
    """EBU R128 over K-weighted levels of successive 100 ms: blocks of 400 ms, an absolute and a relative gate."""
    power: npt.NDArray[np.floating] = power_of(tenths)
    if len(power) >= 4:
        power = (power[:-3] + power[1:-2] + power[2:-1] + power[3:]) / 4
    power = power[power > 10 ** (ABSOLUTE_GATE / 10)]
    if not len(power):
        return None
    power = power[power > power.mean(dtype=np.float64) * 10 ** (RELATIVE_GATE / 10)]
    return float(10 * np.log10(power.mean(dtype=np.float64)))


def power_of(quantised: npt.NDArray[np.generic] | np.floating) -> npt.NDArray[np.float32]:
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
