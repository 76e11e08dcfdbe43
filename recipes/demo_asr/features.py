"""Features: from audio to Whisper's log-mel, roughened on the way as broadcasts are.

The log-mel is Whisper's own formula, with one difference that a batch needs: the floor (eight powers of ten under the
loudest bin) is taken for each row, not over the batch. What roughens a row is drawn per row: noise, band limits like a
telephone's or a low-bitrate mp3's, a tilted microphone, a change of speed, and SpecAugment's small masks.
"""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import torch
from torch import Tensor

RATE = 16_000
FRAME_SAMPLES = 320  # of audio for each encoder position: 20 ms
MEL_BINS = 80


@cache
def _filters() -> Tensor:
    from whisper.audio import mel_filters

    filters: Tensor = mel_filters("cpu", MEL_BINS)
    return filters


@cache
def _hann() -> Tensor:
    return torch.hann_window(400)


def log_mel(audio: Tensor) -> Tensor:
    """(rows, samples) to (rows, 80, samples / 160), as `whisper.log_mel_spectrogram` for each row alone."""
    spectrum = torch.stft(audio, 400, 160, window=_hann(), return_complex=True)
    power = _filters() @ spectrum[..., :-1].abs() ** 2
    log = power.clamp(min=1e-10).log10()
    log = torch.maximum(log, log.amax(dim=(1, 2), keepdim=True) - 8.0)
    return (log + 4.0) / 4.0


def change_speed(audio: np.ndarray, factor: float) -> np.ndarray:
    """Quicker and higher for `factor` above 1. Linear interpolation is rough, and roughness is welcome here."""
    positions = np.arange(0, len(audio) - 1, factor)
    changed: np.ndarray = np.interp(positions, np.arange(len(audio)), audio).astype(np.float32)
    return changed


def roughen(audio: np.ndarray, rng: random.Random) -> np.ndarray:
    """The same speech over a worse channel; as long as it was."""
    level = float(np.sqrt((audio[np.abs(audio) > 1e-4] ** 2).mean())) if np.any(np.abs(audio) > 1e-4) else 0.05
    if rng.random() < 0.5:
        audio = _through_channel(audio, rng)
    if rng.random() < 0.75:
        colour = rng.choice(("white", "pink"))
        audio = audio + noise(len(audio), rng, colour) * level * 10 ** (-rng.uniform(12, 40) / 20)
    return (audio * 10 ** rng.uniform(-0.8, 0.3)).astype(np.float32)


def _through_channel(audio: np.ndarray, rng: random.Random) -> np.ndarray:
    """A telephone, a low-pass like an mp3 encoder's, or a microphone whose response tilts and ripples."""
    spectrum = np.fft.rfft(audio)
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    kind = rng.choice(("telephone", "low-pass", "tilt", "tilt"))
    if kind == "telephone":
        spectrum[(hertz < rng.uniform(200, 350)) | (hertz > rng.uniform(3200, 3800))] = 0
    elif kind == "low-pass":
        spectrum[hertz > rng.uniform(4000, 7800)] = 0
    else:
        knots = np.linspace(0, 8000, 6)
        decibels = np.interp(hertz, knots, [rng.uniform(-8, 8) for _ in knots])
        spectrum = spectrum * 10 ** (decibels / 20)
    return np.fft.irfft(spectrum, len(audio)).astype(np.float32)


def noise(samples: int, rng: random.Random, colour: str) -> np.ndarray:
    """Noise of loudness 1."""
    white = np.random.default_rng(rng.getrandbits(32)).standard_normal(samples).astype(np.float32)
    if colour == "white":
        return white
    spectrum = np.fft.rfft(white)
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    pink: np.ndarray = np.fft.irfft(spectrum, samples).astype(np.float32)
    pink /= pink.std() + 1e-9
    return pink


def music(samples: int, rng: random.Random) -> np.ndarray:
    """Chords that are struck and fade, one each half second or so: what a jingle is to a recognizer."""
    at = np.arange(samples) / RATE
    out = np.zeros(samples, np.float32)
    root, beat = rng.uniform(110, 330), rng.uniform(0.3, 0.8)
    for start in np.arange(0, samples / RATE, beat):
        first = int(start * RATE)
        since = at[first:] - start
        envelope = np.exp(-since * 3) * 0.06
        for ratio in rng.choice(((1, 1.26, 1.5), (1, 1.19, 1.5), (1, 1.33, 1.68), (0.5, 1, 2))):
            out[first:] += (envelope * np.sin(2 * np.pi * root * ratio * since)).astype(np.float32)
    return out


def mask(mel: Tensor, rng: random.Random) -> Tensor:
    """SpecAugment, small: for each row one stretch of up to 0.2 s and one band of up to 10 bins go to the row's mean."""
    for row in mel:
        width = rng.randint(0, 20)
        start = rng.randint(0, max(0, row.shape[1] - width))
        band = rng.randint(0, 10)
        low = rng.randint(0, MEL_BINS - band)
        mean = row.mean()
        row[:, start : start + width] = mean
        row[low : low + band] = mean
    return mel
