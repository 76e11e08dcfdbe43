"""Hearing: samples in, a frame table out.

One pass over the samples, in blocks of 12 s, so that ten hours of measures stay in memory while the samples never
do. The blocks are the same however the samples are fed, and so are the bytes of the saved table.

Nothing that is heard depends on what was heard more than a block before the chunk of ten minutes it lies in:
webrtcvad, which adapts to the noise for ever, begins anew with each chunk after listening to the block before. So
stretches of whole chunks can be heard apart, by workers that know nothing of each other, and joined without a seam.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import webrtcvad

from aramega.audio import landmarks
from aramega.audio.landmarks import join_landmarks
from aramega.audio.levels import k_weights
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
from aramega.audio.table import BAND_FRAMES, BANDS, MUSIC_FRAMES, TENTH, FrameTable, Stretch, Tally, join_stretches
from aramega.records import RATE

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

BLOCK_FRAMES = 600
"""12 s: a whole number of webrtcvad's 30 ms frames and of seconds, and small enough to stay in the cache."""
BLOCK = BLOCK_FRAMES * HOP
JUDGED_FRAMES = 5 * BLOCK_FRAMES
"""The model hears a minute at a time: the context that neighbouring minutes share is then a twelfth of the work."""
CHUNK_BLOCKS = 50
"""Ten minutes: what can be heard apart."""
VAD_FRAME = 480
VAD_EVERY = 2
"""Ask about one frame of 30 ms in two, and let it speak for both: the gate only ever looks at shares of a stretch,
and asking about all of them cost as much as all the spectra."""
VAD_MODE = 1
"""webrtcvad's second mildest mode: a gate must not lose speech; telling music apart is the model's work."""
CLIPPED = 0.9997
"""Samples this close to full scale count as clipped; 16-bit audio reaches 0.99997."""


class FrameAnalyzer:
    """Takes a recording's 16 kHz mono samples, in pieces of any length, and gives its frame table.

    To hear only a stretch, from the block `first` to before the block `end` (multiples of CHUNK_BLOCKS), feed it from
    one block before `first` to one block after `end`, or to the recording's own beginning and end, and take `stretch`.
    """

    def __init__(self, first: int = 0, end: int | None = None) -> None:
        self._first, self._end = first, end
        self._blocks = max(0, first - 1)
        self._samples = self._blocks * BLOCK
        self._vad = webrtcvad.Vad(VAD_MODE)
        self._waiting = np.zeros(LEAD + BLOCK + LEAD, np.float32)
        self._filled = LEAD  # silence before the first sample
        self._before: Floats | None = None
        self._mels = np.full((CONTEXT + JUDGED_FRAMES + CONTEXT, MEL_BANDS), NO_SOUND, np.float32)
        self._heard = CONTEXT
        self._columns = {name: _Column() for name in ("speech", "level", "music", "gate", "loudness", "bands")}
        self._tallies: list[Tally] = []
        self._landmarks: list[landmarks.Landmarks] = []

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
        return join_stretches([self.stretch()])

    def stretch(self) -> Stretch:
        """What was heard from `first` to `end`. Call once, after the last `feed`."""
        while self._blocks * BLOCK < self._samples:
            self._waiting[self._filled :] = 0
            self._take_block()
        until = self._samples if self._end is None else min(self._samples, self._end * BLOCK)
        samples = max(0, until - self._first * BLOCK)
        while self._columns["speech"].length < math.ceil(samples / HOP):
            self._mels[self._heard :] = NO_SOUND
            self._judge()
        columns = {name: column.values for name, column in self._columns.items()}
        return Stretch(samples, columns, tuple(self._tallies), join_landmarks(self._landmarks))

    def _take_block(self) -> None:
        """Listen to the block that is full, and keep the samples that the next one shares with it."""
        own = self._waiting[LEAD : LEAD + BLOCK]
        nonfinite = self._repair()
        power = power_spectra(self._waiting)
        mapped = power @ _maps()
        mels = decibels(mapped[:, :MEL_BANDS])
        if self._blocks < self._first:
            self._mels[:CONTEXT] = mels[-CONTEXT:]
        else:
            if self._end is None or self._blocks < self._end:
                self._measure(own, power, mapped, nonfinite)
            self._hear(mels)
        if (self._blocks + 1) % CHUNK_BLOCKS == 0:
            self._before = own.copy()
        self._waiting[: 2 * LEAD] = self._waiting[-2 * LEAD :]
        self._filled = 2 * LEAD
        self._blocks += 1

    def _measure(self, own: Floats, power: Floats, mapped: Floats, nonfinite: int) -> None:
        """All that is no matter of speech and music."""
        if self._blocks % CHUNK_BLOCKS == 0:
            self._begin_chunk()
        first = 0 if self._blocks else 1  # windows that reach over the recording's ends would smear its spectrum
        end = (self._samples - self._blocks * BLOCK - LEAD) // HOP
        tally, column = self._tallies[-1], self._columns
        tally.spectrum += power[first : max(first, end)].sum(axis=0)
        tally.nonfinite += nonfinite
        _count_samples(tally, own)
        column["gate"].append(self._verdicts(own))
        column["level"].append(_half_decibels(mapped[:, LEVEL]))
        column["loudness"].append(_half_decibels(mapped[:, LOUD].reshape(-1, TENTH).mean(axis=1)))
        bands = mapped[:, FIRST_BAND:].reshape(-1, BAND_FRAMES, BANDS).mean(axis=1)
        column["bands"].append(_half_decibels(bands).reshape(-1))

    def _begin_chunk(self) -> None:
        self._tallies.append(Tally(np.zeros(BINS, np.float64)))
        if self._before is not None:
            self._vad = webrtcvad.Vad(VAD_MODE)
            self._verdicts(self._before)
            self._before = None

    def _repair(self) -> int:
        """Silence for what is not a number, and how many those were; the buffer's ends are only looked at once."""
        fresh = self._waiting[2 * LEAD if self._blocks else 0 :]
        with np.errstate(invalid="ignore"):
            sound = bool(np.isfinite(fresh.sum()))
        if sound:
            return 0
        wrong = ~np.isfinite(fresh)
        fresh[wrong] = 0
        return int(wrong.sum())

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
        edge = CONTEXT - landmarks.CONTEXT
        self._landmarks.append(landmarks.find_landmarks(self._mels[edge:-edge]).later(self._columns["speech"].length))
        self._columns["speech"].append(np.rint(speech * 255).astype(np.uint8))
        self._columns["music"].append(np.rint(music * 255).astype(np.uint8))
        self._mels[: 2 * CONTEXT] = self._mels[-2 * CONTEXT :]
        self._heard = max(2 * CONTEXT - (len(self._mels) - self._heard), 0)


def _count_samples(tally: Tally, own: Floats) -> None:
    peak = float(max(own.max(), -own.min()))
    tally.peak = max(tally.peak, peak)
    tally.sum += float(own.sum())
    if peak >= CLIPPED:
        tally.clipped += int(np.count_nonzero(np.abs(own) >= CLIPPED))


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
