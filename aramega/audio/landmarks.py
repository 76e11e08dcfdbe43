"""Landmarks: what two recordings of the same sound have in common, in eight bytes each.

A landmark is an instant that is louder than the 0.16 s around it, and 64 bits about the 2.6 s around the instant. The
bits are the signs of slow changes of the mel spectrum (up to 1.6 a second, eight shapes over frequency), after each
band's power was divided by what the band and the whole stretch have on average. So gain drops out, noise fills only
what was quiet, and a codec, a few percent of speed or a telephone line turns few of the bits. There are about one and
a half a second, at the same instants in both recordings: they can be compared without trying offsets.

What this does not do: name a song or a speaker. Two readings of one text have different landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from aramega.audio.mel import MEL_BANDS

Floats = npt.NDArray[np.float32]

REACH = 64
"""Frames on either side of a landmark that its bits are about: 1.3 s."""
_APART = 8
"""A landmark is the loudest of so many frames on either side."""
_SMOOTH = 8
CONTEXT = REACH + _APART + _SMOOTH
"""Frames of sound wanted before and after those that are looked at."""
_FLOOR = 0.5
"""Of a band's own mean power, and of all bands' mean: what lies below counts for little, so that noise 10 dB below the
speech turns few bits (of 0.1, 0.3, 0.5 and 1, the one with most landmarks kept in babble and through a telephone)."""
_SHAPES = 8
_QUIET = 1e-11
"""Power under which there is no sound, only rounding of 16-bit samples."""


@dataclass(frozen=True)
class Landmarks:
    """The landmarks of a recording, in the order of time."""

    frames: npt.NDArray[np.uint32]
    """When, in frames of 20 ms."""
    bits: npt.NDArray[np.uint64]
    """What the sound is like around them."""

    def __len__(self) -> int:
        return len(self.frames)

    def later(self, frames: int) -> Landmarks:
        """The same, so many frames later."""
        return Landmarks(self.frames + np.uint32(frames), self.bits)

    def before(self, frame: int) -> Landmarks:
        """Those before a frame."""
        end = int(np.searchsorted(self.frames, frame))
        return Landmarks(self.frames[:end], self.bits[:end])

    @classmethod
    def none(cls) -> Landmarks:
        return cls(np.zeros(0, np.uint32), np.zeros(0, np.uint64))


def join_landmarks(parts: Sequence[Landmarks]) -> Landmarks:
    """The landmarks of stretches that follow each other, each counted from the recording's start."""
    parts = parts or [Landmarks.none()]
    return Landmarks(np.concatenate([part.frames for part in parts]), np.concatenate([part.bits for part in parts]))


def find_landmarks(mels: Floats) -> Landmarks:
    """The landmarks in decibels of mel bands that have `CONTEXT` frames more at either end; frames count without it."""
    power = np.power(np.float32(10), mels / np.float32(10))
    loudness = _loudness(power)
    peaks = CONTEXT + np.flatnonzero(_is_peak(loudness))
    if not len(peaks):
        return Landmarks.none()
    around = np.lib.stride_tricks.sliding_window_view(power, 2 * REACH, axis=0)[peaks - REACH]  # (peaks, bands, frames)
    means = around.mean(axis=2)
    floor = _FLOOR * (means + means.mean(axis=1, keepdims=True)) + np.float32(_QUIET)
    compressed = np.log1p(around / floor[:, :, None])
    over_time, over_frequency = _shapes()
    shapes = np.swapaxes(compressed @ over_time, 1, 2) @ over_frequency
    bits = np.packbits(shapes.reshape(len(peaks), -1) > 0, axis=1).view(">u8")[:, 0].astype(np.uint64)
    return Landmarks((peaks - CONTEXT).astype(np.uint32), bits)


def _loudness(power: Floats) -> Floats:
    """How loud each frame is, all bands counting for something, smoothed over 0.1 s."""
    distances = np.arange(-_SMOOTH, _SMOOTH + 1) / 3
    weights = np.exp(-0.5 * distances**2)
    by_frame = np.power(power, np.float32(0.3)).sum(axis=1)
    return np.convolve(by_frame, weights / weights.sum(), "same").astype(np.float32)


def _is_peak(loudness: Floats) -> npt.NDArray[np.bool_]:
    """Whether a frame is louder than its neighbours, for all but the `CONTEXT` at either end."""
    windows = np.lib.stride_tricks.sliding_window_view(loudness, 2 * _APART + 1)
    edge = CONTEXT - _APART
    windows = windows[edge:-edge]
    middle = windows[:, _APART]
    is_peak: npt.NDArray[np.bool_] = (middle >= windows.max(axis=1)) & (middle > 1.001 * windows.min(axis=1))
    return is_peak


@cache
def _shapes() -> tuple[Floats, Floats]:
    """Waves over time, each without a mean and fading to the ends, and over the bands; their products' signs are the
    bits."""
    time = (np.arange(2 * REACH) + 0.5 - REACH) / REACH
    waves = [wave(np.pi * cycle * time) for cycle in range(1, _SHAPES // 2 + 1) for wave in (np.cos, np.sin)]
    over_time = np.stack(waves, axis=1) * np.cos(np.pi * time / 2)[:, None]
    over_time -= over_time.mean(axis=0)
    bands = (np.arange(MEL_BANDS) + 0.5) / MEL_BANDS
    over_frequency = np.stack([np.cos(np.pi * shape * bands) for shape in range(_SHAPES)], axis=1)
    return over_time.astype(np.float32), over_frequency.astype(np.float32)
