"""The frame table: all that later stages know of a recording's sound.

For every 20 ms it says how loud it is and how likely speech and music are, webrtcvad's verdict for every 30 ms, the
K-weighted level for every 100 ms and a coarse spectrum for every two seconds: half a megabyte an hour. Beside these
stand the landmarks by which the same sound is known again (tables of older versions have none). A table is
put together from stretches, one for the whole recording or several that were heard apart; what is summed over a
recording is summed chunk by chunk in their order, so that the table is the same to the last bit either way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aramega.audio.landmarks import Landmarks, join_landmarks
from aramega.audio.levels import gated_loudness, highest_frequency
from aramega.audio.mel import BIN_HZ, BINS, FRAMES_PER_SECOND, HOP
from aramega.records import RATE, Measures

Bytes = npt.NDArray[np.uint8]

MUSIC_FRAMES = 4
"""Frames per value of `music`: its edges need no more than 80 ms."""
GATE_FRAMES = 12
"""Frames per byte of `gate`."""
TENTH = FRAMES_PER_SECOND // 10
BAND_FRAMES = 2 * FRAMES_PER_SECOND
BANDS = 32


@dataclass(frozen=True)
class FrameTable:
    """A recording as a time series. Probabilities are 0 to 255, levels are half decibels above -127.5 dBFS."""

    seconds: float
    measures: Measures
    speech: Bytes
    """Probability of speech, one per 20 ms."""
    level: Bytes
    """Level above 47 Hz, one per 20 ms."""
    music: Bytes
    """Probability of music, also under speech, one per 80 ms."""
    gate: Bytes
    """webrtcvad's verdicts, one bit per 30 ms."""
    loudness: Bytes
    """K-weighted level, one per 100 ms."""
    bands: Bytes
    """Mean level of 32 bands of 250 Hz, one row per two seconds."""
    landmarks: Landmarks = field(default_factory=Landmarks.none)
    """What the same sound is known by."""

    def frame(self, seconds: float) -> int:
        return min(max(0, round(seconds * FRAMES_PER_SECOND)), len(self.speech))

    def music_frames(self, first: int, end: int) -> Bytes:
        """`music` spread over the 20 ms frames from `first` to before `end`."""
        spread: Bytes = self.music[np.arange(first, end) // MUSIC_FRAMES]
        return spread

    def gate_frames(self, first: int, end: int) -> npt.NDArray[np.bool_]:
        """webrtcvad's verdict for the 20 ms frames from `first` to before `end`: open where a 30 ms frame at their middle is."""
        bits = (np.arange(first, end) * 2 + 1) // 3
        return np.asarray(self.gate[bits >> 3] >> (7 - (bits & 7)) & 1, np.bool_)

    def save(self, path: str | Path) -> None:
        """Write as npz; the same sound gives the same bytes, for numpy stamps all entries with one date."""
        about = json.dumps({"seconds": self.seconds, "measures": asdict(self.measures)}, sort_keys=True)
        with Path(path).open("wb") as file:
            np.savez_compressed(
                file,
                about=np.frombuffer(about.encode(), np.uint8),
                speech=self.speech,
                level=self.level,
                music=self.music,
                gate=self.gate,
                loudness=self.loudness,
                bands=self.bands,
                landmark_frames=self.landmarks.frames,
                landmark_bits=self.landmarks.bits,
            )

    @classmethod
    def load(cls, path: str | Path) -> FrameTable:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(bytes(stored["about"]))
            columns = {name: stored[name] for name in ("speech", "level", "music", "gate", "loudness", "bands")}
            landmarks = _stored_landmarks(stored)
        return cls(seconds=about["seconds"], measures=Measures(**about["measures"]), **columns, landmarks=landmarks)


def load_landmarks(path: str | Path) -> Landmarks:
    """Only the landmarks of a saved table: a small part of its bytes."""
    with np.load(path, allow_pickle=False) as stored:
        return _stored_landmarks(stored)


def _stored_landmarks(stored: Mapping[str, Any]) -> Landmarks:
    if "landmark_bits" not in stored:
        return Landmarks.none()
    return Landmarks(stored["landmark_frames"], stored["landmark_bits"])


@dataclass
class Tally:
    """What is summed over one chunk of a recording."""

    spectrum: npt.NDArray[np.float64]
    peak: float = 0.0
    sum: float = 0.0
    clipped: int = 0
    nonfinite: int = 0


@dataclass(frozen=True)
class Stretch:
    """What was heard of a recording from one chunk to another."""

    samples: int
    columns: Mapping[str, Bytes]
    """The table's, longer than these samples: all of them whole chunks but the last stretch's."""
    tallies: tuple[Tally, ...]
    landmarks: Landmarks
    """Counted from the first of these samples; some may lie after the last."""


def join_stretches(stretches: Sequence[Stretch]) -> FrameTable:
    """The table of a recording whose stretches follow each other without a gap."""
    samples = sum(stretch.samples for stretch in stretches)
    tallies = [tally for stretch in stretches for tally in stretch.tallies]
    frames = math.ceil(samples / HOP)

    def column(name: str, frames_a_value: int = 1, width: int = 1) -> Bytes:
        lengths = [math.ceil(math.ceil(s.samples / HOP) / frames_a_value) * width for s in stretches]
        parts = [s.columns[name][:length] for s, length in zip(stretches, lengths, strict=True)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    begins = accumulate((math.ceil(s.samples / HOP) for s in stretches), initial=0)
    landmarks = [
        s.landmarks.before(math.ceil(s.samples / HOP)).later(b) for s, b in zip(stretches, begins, strict=False)
    ]
    loudness = column("loudness", TENTH)
    spectrum = sum((tally.spectrum for tally in tallies), np.zeros(BINS))
    measures = Measures(
        loudness_lufs=gated_loudness(loudness[: frames // TENTH]),
        peak_dbfs=20 * math.log10(max(1e-7, *(tally.peak for tally in tallies), 0.0)),
        clipped_share=sum(tally.clipped for tally in tallies) / max(1, samples),
        bandwidth_hz=highest_frequency(spectrum / max(1, frames), BIN_HZ),
        dc_offset=sum(tally.sum for tally in tallies) / max(1, samples),
        nonfinite_samples=sum(tally.nonfinite for tally in tallies),
    )
    return FrameTable(
        seconds=samples / RATE,
        measures=measures,
        speech=column("speech"),
        level=column("level"),
        music=column("music", MUSIC_FRAMES),
        gate=column("gate", GATE_FRAMES),
        loudness=loudness,
        bands=column("bands", BAND_FRAMES, BANDS).reshape(-1, BANDS),
        landmarks=join_landmarks(landmarks),
    )
