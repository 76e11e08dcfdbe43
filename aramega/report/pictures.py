"""Pictures: draws a clip's mel spectrogram as a small PNG.

Clips only, never a recording: librosa holds all it is given. The PNG is written by hand, for an indexed
image is three chunks around one zlib stream and no reason to depend on a drawing library.
"""

from __future__ import annotations

import base64
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aramega.records import RATE

Pixels = npt.NDArray[np.uint8]

WIDTH, BANDS = 480, 64
WINDOW = 1024
"""64 ms: harmonics and formants both show."""
RANGE_DB = 70.0
"""Below the loudest; a broadcast's noise floor lies 40 to 60 dB down."""
SHADES = 48
"""More look the same and cost half as many bytes again."""

_MAGMA = ("000004", "180f3e", "451077", "721f81", "9f2f7f", "cd4071", "f1605d", "fd9567", "fec98d", "fcfdbf")
"""Matplotlib's magma at ten points: even to the eye, also without colour vision, and in print."""


def picture_of_sound(clip: Path) -> str:
    """The clip's spectrogram as a data URI, time from left to right, low notes at the bottom."""
    import soundfile

    samples, _ = soundfile.read(clip, dtype="float32")
    return data_uri("image/png", write_png(shade(_mel_decibels(samples)), palette()))


def data_uri(kind: str, content: bytes) -> str:
    """Content that a page carries in itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _mel_decibels(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    import librosa

    hop = max(160, -(-len(samples) // WIDTH))
    mel = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=max(WINDOW, hop), win_length=WINDOW, hop_length=hop, n_mels=BANDS
    )
    decibels: npt.NDArray[np.float32] = librosa.power_to_db(mel, ref=np.max, top_db=RANGE_DB)
    return decibels


def shade(decibels: npt.NDArray[np.float32]) -> Pixels:
    """Shade numbers, the loudest brightest, the lowest band in the last row."""
    scaled = (decibels - decibels.max() + RANGE_DB) / RANGE_DB
    shades: Pixels = np.clip(np.rint(scaled[::-1] * (SHADES - 1)), 0, SHADES - 1).astype(np.uint8)
    return shades


@cache
def palette() -> Pixels:
    """SHADES × RGB."""
    points = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in _MAGMA], np.float64)
    at = np.linspace(0, len(points) - 1, SHADES)
    return np.stack([np.interp(at, np.arange(len(points)), points[:, i]) for i in range(3)], axis=1).astype(np.uint8)


def write_png(pixels: Pixels, colours: Pixels) -> bytes:
    """An 8-bit indexed PNG: https://www.w3.org/TR/png-3/#11Chunks."""
    height, width = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels], axis=1)  # each row begins with "no filter"
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
