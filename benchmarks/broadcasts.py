"""Long recordings for the benchmarks: ten minutes of made-up broadcast, repeated to the length asked for.

Repeating costs nothing and changes nothing: no part of the build remembers what it has heard before.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.support import synth

RATE = 16_000


def make_recording(folder: Path, minutes: float, seed: int = 1) -> Path:
    """A 16 kHz mono wav of `minutes`."""
    rng = np.random.default_rng(seed)
    speakers = [synth.EspeakSpeaker.random(rng, foreign_share=0) for _ in range(5)]
    part = synth.broadcast(rng, min(10, minutes), speakers, synth.Style()).audio[: int(min(10, minutes) * 60 * RATE)]
    path = folder / "recording.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        left = int(minutes * 60 * RATE)
        while left > 0:
            file.write(part[:left])
            left -= len(part)
    return path


def encode(wav: Path, out: Path, *options: str) -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(wav), *options, str(out)], check=True)
    return out
