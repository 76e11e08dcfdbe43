"""The frame table: all that later stages know of a recording's sound, taken while it is decoded.

One pass over the samples, in blocks of 12 s, gives for every 20 ms how loud it is and how likely speech and music
are, webrtcvad's verdict for every 30 ms, the K-weighted level for every 100 ms and a coarse spectrum for every two
seconds. That is 0.5 MB an hour, so ten hours stay in memory while the samples never do. The blocks are
the same however the samples are fed, and so are the bytes of the saved table.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import webrtcvad

from aramega.audio.measures import gated_loudness, highest_frequency, k_weights
from aramega.audio.mel import (
    BIN_HZ,
    BINS,
    FRAMES_PER_SECOND,
    HOP,
    LEAD,
    MEL_BANDS,
    decibels,
    mel_weights,
    power_spectra,
)
from aramega.audio.speech_model import CONTEXT, NO_SOUND, speech_and_music
from aramega.records import RATE, Measures

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

BLOCK_FRAMES = 600
"""12 s: a whole number of webrtcvad's 30 ms frames and of seconds, and small enough to stay in the cache."""
BLOCK = BLOCK_FRAMES * HOP
JUDGED_FRAMES = 5 * BLOCK_FRAMES
"""The model hears a minute at a time: the context that neighbouring minutes share is then a twelfth of the work."""
VAD_FRAME = 480
VAD_EVERY = 2
"""Ask about one frame of 30 ms in two, and let it speak for both: the gate only ever looks at shares of a stretch,
and asking about all of them cost as much as all the spectra."""
VAD_MODE = 1
"""webrtcvad's second mildest mode: a gate must not lose speech; telling music apart is the model's work."""
MUSIC_FRAMES = 4
"""Frames per value of `music`: its edges need no more than 80 ms."""
TENTH = FRAMES_PER_SECOND // 10
BAND_FRAMES = 2 * FRAMES_PER_SECOND
BANDS = 32
CLIPPED = 0.9997
"""Samples this close to full scale count as clipped; 16-bit audio reaches 0.99997."""


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
            )

    @classmethod
    def load(cls, path: str | Path) -> FrameTable:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(bytes(stored["about"]))
            columns = {name: stored[name] for name in ("speech", "level", "music", "gate", "loudness", "bands")}
        return cls(seconds=about["seconds"], measures=Measures(**about["measures"]), **columns)


class FrameAnalyzer:
    """Takes a recording's 16 kHz mono samples, in pieces of any length, and gives its frame table."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(VAD_MODE)
        self._samples = 0
        self._blocks = 0
        self._waiting = np.zeros(LEAD + BLOCK + LEAD, np.float32)
        self._filled = LEAD  # silence before the first sample
        self._mels = np.full((CONTEXT + JUDGED_FRAMES + CONTEXT, MEL_BANDS), NO_SOUND, np.float32)
        self._heard = CONTEXT
        self._columns = {name: _Column() for name in ("speech", "level", "music", "gate", "loudness", "bands")}
        self._spectrum = np.zeros(BINS, np.float64)
        self._peak, self._sum, self._clipped, self._nonfinite = 0.0, 0.0, 0, 0

    def feed(self, samples: npt.ArrayLike) -> None:
        left: Floats = np.asarray(samples, np.float32).reshape(-1)
        self._samples += len(left)
        while len(left):
            taken = left[: len(self._waiting) - self._filled]
            self._waiting[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            left = left[len(taken) :]
            if self._filled == len(self._waiting):
                self._take_block()

    def finish(self) -> FrameTable:
        """The table. Call once, after the last `feed`."""
        while self._blocks * BLOCK < self._samples:
            self._waiting[self._filled :] = 0
            self._take_block()
        frames = math.ceil(self._samples / HOP)
        while self._columns["speech"].length < frames:
            self._mels[self._heard :] = NO_SOUND
            self._judge()
        return FrameTable(
            seconds=self._samples / RATE,
            measures=self._measures(),
            speech=self._column("speech", frames),
            level=self._column("level", frames),
            music=self._column("music", math.ceil(frames / MUSIC_FRAMES)),
            gate=self._column("gate", math.ceil(frames / 12)),
            loudness=self._column("loudness", math.ceil(frames / TENTH)),
            bands=self._column("bands", math.ceil(frames / BAND_FRAMES) * BANDS).reshape(-1, BANDS),
        )

    def _take_block(self) -> None:
        """Measure the block that is full, and keep the samples that the next one shares with it."""
        self._repair()
        own = self._waiting[LEAD : LEAD + BLOCK]
        self._measure_samples(own)
        self._columns["gate"].append(self._verdicts(own))
        power = power_spectra(self._waiting)
        first = 0 if self._blocks else 1  # windows that reach over the recording's ends would smear its spectrum
        end = (self._samples - self._blocks * BLOCK - LEAD) // HOP
        self._spectrum += power[first : max(first, end)].sum(axis=0)
        mapped = power @ _maps()
        column = self._columns
        column["level"].append(_half_decibels(mapped[:, LEVEL]))
        column["loudness"].append(_half_decibels(mapped[:, LOUD].reshape(-1, TENTH).mean(axis=1)))
        bands = mapped[:, FIRST_BAND:].reshape(-1, BAND_FRAMES, BANDS).mean(axis=1)
        column["bands"].append(_half_decibels(bands).reshape(-1))
        self._hear(decibels(mapped[:, :MEL_BANDS]))
        self._waiting[: 2 * LEAD] = self._waiting[-2 * LEAD :]
        self._filled = 2 * LEAD
        self._blocks += 1

    def _repair(self) -> None:
        """Silence for what is not a number; the two ends of the buffer are only looked at once."""
        fresh = self._waiting[2 * LEAD if self._blocks else 0 :]
        with np.errstate(invalid="ignore"):
            sound = bool(np.isfinite(fresh.sum()))
        if not sound:
            wrong = ~np.isfinite(fresh)
            self._nonfinite += int(wrong.sum())
            fresh[wrong] = 0

    def _measure_samples(self, own: Floats) -> None:
        peak = float(max(own.max(), -own.min()))
        self._peak = max(self._peak, peak)
        self._sum += float(own.sum())
        if peak >= CLIPPED:
            self._clipped += int(np.count_nonzero(np.abs(own) >= CLIPPED))

    def _verdicts(self, own: Floats) -> Bytes:
        asked = own.reshape(-1, VAD_EVERY * VAD_FRAME)[:, :VAD_FRAME]
        pcm = (np.clip(asked, -1, 1) * np.float32(32767)).astype(np.int16).tobytes()
        step, is_speech = 2 * VAD_FRAME, self._vad.is_speech
        verdicts = [is_speech(pcm[at : at + step], RATE) for at in range(0, len(pcm), step)]
        return np.packbits(np.repeat(verdicts, VAD_EVERY))

    def _hear(self, mels: Floats) -> None:
        self._mels[self._heard : self._heard + len(mels)] = mels[: len(self._mels) - self._heard]
        rest = mels[len(self._mels) - self._heard :]
        self._heard = min(self._heard + len(mels), len(self._mels))
        if self._heard == len(self._mels):
            self._judge()
            self._mels[self._heard : self._heard + len(rest)] = rest
            self._heard += len(rest)

    def _judge(self) -> None:
        """Ask the model about the middle of what was heard; its ends are context for this minute and the next."""
        speech, music = speech_and_music(self._mels)
        music = music.reshape(-1, MUSIC_FRAMES // 2).mean(axis=1)
        self._columns["speech"].append(np.rint(speech * 255).astype(np.uint8))
        self._columns["music"].append(np.rint(music * 255).astype(np.uint8))
        self._mels[: 2 * CONTEXT] = self._mels[-2 * CONTEXT :]
        self._heard = max(2 * CONTEXT - (len(self._mels) - self._heard), 0)

    def _column(self, name: str, length: int) -> Bytes:
        return self._columns[name].values[:length]

    def _measures(self) -> Measures:
        frames = math.ceil(self._samples / HOP)
        samples = max(1, self._samples)
        return Measures(
            loudness_lufs=gated_loudness(self._column("loudness", frames // TENTH)),
            peak_dbfs=20 * math.log10(max(self._peak, 1e-7)),
            clipped_share=self._clipped / samples,
            bandwidth_hz=highest_frequency(self._spectrum / max(1, frames), BIN_HZ),
            dc_offset=self._sum / samples,
            nonfinite_samples=self._nonfinite,
        )


class _Column:
    """Bytes that grow at the end. Room for 20 hours is asked for at once: memory not written to costs nothing,
    while growing step by step leaves holes as large as the column. (Of 4 MB or more, numpy would ask for huge
    pages, and the first byte written would cost two megabytes.)"""

    def __init__(self) -> None:
        self._room: Bytes = np.empty(20 * 3600 * FRAMES_PER_SECOND, np.uint8)
        self.length = 0

    @property
    def values(self) -> Bytes:
        return self._room[: self.length]

    def append(self, values: Bytes) -> None:
        end = self.length + len(values)
        if end > len(self._room):
            self._room = np.concatenate((self._room, np.empty(len(self._room), np.uint8)))
        self._room[self.length : end] = values
        self.length = end


LEVEL = MEL_BANDS
LOUD = MEL_BANDS + 1
FIRST_BAND = MEL_BANDS + 2


@cache
def _maps() -> Floats:
    """One matrix for everything that is a weighted sum of a frame's spectrum: mel bands, level, loudness, bands."""
    power = np.full(BINS, 1 / 3)  # a Hann window spreads a sine of power 1/2 over bins that sum to 3/2
    above_rumble = power * (np.arange(BINS) * BIN_HZ > 47)
    bands = np.zeros((BINS, BANDS))
    bands[np.arange(BINS), np.minimum(np.arange(BINS) * BANDS // (BINS - 1), BANDS - 1)] = 1 / 3
    columns = (mel_weights(), above_rumble[:, None], (power * k_weights())[:, None], bands)
    maps: Floats = np.concatenate(columns, axis=1).astype(np.float32)
    return maps


def _half_decibels(power: Floats) -> Bytes:
    steps: Bytes = np.clip(np.rint((decibels(power) + 127.5) * 2), 0, 255).astype(np.uint8)
    return steps
