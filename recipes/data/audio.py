"""Decodes audio bytes to 16 kHz mono float32 with soundfile: neither torchcodec nor ffmpeg is needed.

libsndfile reads WAV, FLAC, Ogg (Vorbis, Opus) and MP3, which is what datasets on the Hub hold.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recipes.errors import RecipeError

RATE = 16_000


def audio_bytes(cell: Mapping[str, Any] | None, *, name: str) -> bytes:
    """The bytes of an undecoded audio cell: those inside it, or the file it names."""
    if not cell or (cell.get("bytes") is None and not cell.get("path")):
        raise RecipeError(f"{name}: the row has no audio. Remove it, or use the dataset for text tasks only.")
    if cell.get("bytes") is not None:
        return bytes(cell["bytes"])
    path = Path(cell["path"])
    if not path.is_file():
        raise RecipeError(f"{name}: audio file {path} is not there. Was the dataset moved without its clips?")
    return path.read_bytes()


def decode(data: bytes, *, name: str) -> np.ndarray:
    """Decode a whole clip."""
    import soundfile

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _unreadable(name, error) from None
    mono = samples.mean(axis=1)
    return mono if rate == RATE else _resample(mono, rate)


def cut(path: str, start: float, seconds: float, *, name: str) -> np.ndarray:
    """A stretch of a long file, without reading the rest of it."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            file.seek(min(round(start * file.samplerate), file.frames))
            samples = file.read(round(seconds * file.samplerate), dtype="float32", always_2d=True)
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise _unreadable(name, error) from None
    mono = samples.mean(axis=1)
    return mono if rate == RATE else _resample(mono, rate)


def measure(data: bytes, *, name: str) -> tuple[float, str]:
    """A clip's seconds, from its header, and its content key, which is the same in every dataset that holds the clip."""
    import soundfile

    try:
        header = soundfile.info(io.BytesIO(data))
    except soundfile.LibsndfileError as error:
        raise _unreadable(name, error) from None
    return header.frames / header.samplerate, hashlib.blake2b(data, digest_size=12).hexdigest()


def _resample(mono: np.ndarray, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    common = np.gcd(rate, RATE)
    resampled: np.ndarray = resample_poly(mono, RATE // common, rate // common)
    return resampled.astype(np.float32)


def _unreadable(name: str, error: Exception) -> RecipeError:
    return RecipeError(
        f"{name}: audio can't be read ({error}). soundfile reads WAV, FLAC, Ogg and MP3: convert other formats first."
    )
