"""Clips: sample-accurate stretches of a recording, as FLAC for keeps and mp3 or ogg for browsers.

A clip is cut by counting samples in the decoded scratch file, never by seeking in the original, whose
containers seek to the nearest packet. FLAC bytes depend on the samples and the level alone.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from aramega.audio.channels import Samples
from aramega.records import RATE
from aramega.workspace import whole_file

PreviewFormat = Literal["mp3", "ogg"]


def read_samples(audio: Path, start: float, end: float) -> Samples:
    """The samples from `start` to `end`, in seconds, of a scratch file."""
    first = round(start * RATE)
    return np.fromfile(audio, dtype="<i2", count=round(end * RATE) - first, offset=2 * first)


def as_floats(samples: Samples) -> npt.NDArray[np.float32]:
    """Samples between -1 and 1."""
    floats: npt.NDArray[np.float32] = samples.astype(np.float32) * np.float32(1 / 32768)
    return floats


def encode_flac(samples: Samples, *, level: int) -> bytes:
    """`samples` as a 16 kHz mono FLAC file."""
    import soundfile

    encoded = io.BytesIO()
    with soundfile.SoundFile(encoded, "w", RATE, 1, "PCM_16", format="FLAC", compression_level=level / 8) as file:
        file.write(samples)
    return encoded.getvalue()


def write_preview(clip: Path, preview: Path, kind: PreviewFormat) -> None:
    """A small, faded copy of `clip` for a browser: 24 kbit/s is enough to judge speech by ear."""
    from pydub import AudioSegment

    sound = AudioSegment.from_file(clip, format="flac").fade_in(10).fade_out(10)
    codec = {"mp3": "libmp3lame", "ogg": "libopus"}[kind]
    with whole_file(preview) as part:
        sound.export(part, format=kind, codec=codec, bitrate="24k").close()
