"""What is heard when: a recording's spans of speech, music and silence, from its frame table.

Speech is where the model says so, with hysteresis: it begins at a high probability and ends at a lower one. Then
come the vetoes, each for a mistake seen: a stretch webrtcvad hears no voice in, a burst too short for a word, a
burst inside music, edges that lie in the noise floor. What is not speech is music where the model hears music, and
silence otherwise, noise included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from aramega.audio.mel import FRAMES_PER_SECOND
from aramega.audio.table import MUSIC_FRAMES, FrameTable
from aramega.config.segment import SegmentConfig
from aramega.records import Span, SpanKind

Samples = npt.NDArray[np.float32]
SecondOpinion = Callable[[Sequence[Samples]], Sequence[npt.NDArray[np.float32]]]
"""Probabilities of speech per 20 ms frame for each piece of sound."""
Read = Callable[[float, float], Samples]
"""The recording's samples from one second to another."""

Runs = npt.NDArray[np.int64]
"""Rows of (first frame, end frame), in order."""
Seconds = npt.NDArray[np.float64]

HALF_SECOND = FRAMES_PER_SECOND // 2
ASKED_AT_ONCE = 16
"""Larger batches leave the processor's cache and are slower per second of sound."""
LONGEST_ASKED = 10 * FRAMES_PER_SECOND


def find_spans(
    table: FrameTable, config: SegmentConfig, second_opinion: SecondOpinion | None = None, read: Read | None = None
) -> list[Span]:
    """Spans that cover the recording from 0 to its end without gap or overlap; times are whole milliseconds."""
    speech = table.speech
    if second_opinion and read:
        speech = _with_second_opinion(table, config, second_opinion, read)
    runs = speech_runs(table, speech, config)
    music = music_runs(table, config)
    return _lay_out(table, runs / FRAMES_PER_SECOND, music / FRAMES_PER_SECOND, config)


def speech_runs(table: FrameTable, speech: npt.NDArray[np.uint8], config: SegmentConfig) -> Runs:
    """Frames of speech after hysteresis and all vetoes."""
    runs = hysteresis(speech, round(config.speech_on * 255), round(config.speech_off * 255))
    runs = _trim_to_floor(table, speech, runs, config)
    runs = join(runs, _frames(config.min_pause))
    runs = runs[runs[:, 1] - runs[:, 0] >= _frames(config.min_speech)]
    keep = [_is_voice(table, speech, a, b, config) for a, b in runs]
    return runs[np.array(keep, bool)] if len(runs) else runs


def hysteresis(values: npt.NDArray[np.uint8], on: int, off: int) -> Runs:
    """Stretches of `values` of at least `off` that reach `on` somewhere."""
    runs = runs_at_least(values, off)
    if not len(runs):
        return runs
    bounds = runs.reshape(-1)
    highest = np.maximum.reduceat(values, bounds[:-1] if bounds[-1] == len(values) else bounds)[::2]
    return runs[highest >= on]


def runs_at_least(values: npt.NDArray[np.uint8], threshold: int, piece: int = 1 << 17) -> Runs:
    """(first, end) of every stretch of `values` that stays at `threshold` or over.

    Ten hours are two million frames: they are compared piece by piece, so that no mask of all of them is held.
    """
    edges: list[npt.ArrayLike] = []
    before = False
    for first in range(0, len(values), piece):
        above = values[first : first + piece] >= threshold
        if above[0] != before:
            edges.append([first])
        edges.append(np.flatnonzero(above[1:] != above[:-1]) + first + 1)
        before = bool(above[-1])
    if before:
        edges.append([len(values)])
    return np.concatenate(edges).astype(np.int64).reshape(-1, 2) if edges else np.zeros((0, 2), np.int64)


def join(runs: Runs, gap: int) -> Runs:
    """Runs with every gap shorter than `gap` frames filled."""
    if len(runs) < 2:
        return runs
    apart = runs[1:, 0] - runs[:-1, 1] >= gap
    firsts, ends = np.concatenate(([True], apart)), np.concatenate((apart, [True]))
    return np.stack((runs[firsts, 0], runs[ends, 1]), axis=1)


def noise_floor(level: npt.NDArray[np.uint8], window: int) -> npt.NDArray[np.uint8]:
    """The quietest tenth within `window` frames, one value per half window."""
    half = max(1, window // 2)
    starts = range(0, max(1, len(level)), half)
    return np.array([np.percentile(level[max(0, s - half // 2) : s + half + half // 2], 10) for s in starts]).astype(
        np.uint8
    )


def noise_floor_at(level: npt.NDArray[np.uint8], frames: npt.NDArray[np.int64], window: int) -> Seconds:
    """The noise floor around each of `frames`."""
    floor = noise_floor(level, window)
    nearest = np.minimum(frames // max(1, window // 2), len(floor) - 1)
    at_frames: Seconds = floor[nearest].astype(np.float64)
    return at_frames


def music_runs(table: FrameTable, config: SegmentConfig) -> Runs:
    """Frames of music, whether or not somebody speaks over it."""
    on = round(config.music_on * 255)
    runs = hysteresis(table.music, on, max(1, on // 2)) * MUSIC_FRAMES
    return join(runs, _frames(config.min_music))


def _frames(seconds: float) -> int:
    return round(seconds * FRAMES_PER_SECOND)


def _trim_to_floor(table: FrameTable, speech: npt.NDArray[np.uint8], runs: Runs, config: SegmentConfig) -> Runs:
    """Take from both ends of a run the frames that are no louder than the noise, unless the model is sure of them."""
    if not len(runs):
        return runs
    limits = noise_floor_at(table.level, runs[:, 0], _frames(config.floor_window)) + 2 * config.floor_margin_db
    sure = config.sure_of_speech * 255
    trimmed = []
    for (a, b), limit in zip(runs, limits, strict=True):
        loud = np.flatnonzero((table.level[a:b] > limit) | (speech[a:b] >= sure))
        if len(loud):
            trimmed.append((a + loud[0], a + loud[-1] + 1))
    return np.array(trimmed, np.int64).reshape(-1, 2)


def _is_voice(table: FrameTable, speech: npt.NDArray[np.uint8], a: int, b: int, config: SegmentConfig) -> bool:
    """The vetoes of music and of webrtcvad's gate."""
    odds = speech[a:b]
    if table.music_frames(a, b).mean() >= config.music_on * 255 and odds.mean() < config.sure_over_music * 255:
        return False
    return bool(odds.max() >= config.sure_of_speech * 255 or table.gate_frames(a, b).mean() >= config.gate_share)


def _lay_out(table: FrameTable, speech: Seconds, tunes: Seconds, config: SegmentConfig) -> list[Span]:
    """Speech as it is, and between it music and silence."""
    end = round(table.seconds, 3)
    spans: list[Span] = []
    at = 0.0
    for a, b in [*speech.tolist(), [end, end]]:
        first, last = min(round(a, 3), end), min(round(b, 3), end)
        spans += _between(at, first, tunes, config)
        if last > first:
            spans.append(Span(first, last, "speech"))
        at = max(at, last)
    return spans


def _between(start: float, end: float, tunes: Seconds, config: SegmentConfig) -> list[Span]:
    """Music and silence from `start` to `end`, where nobody speaks."""
    spans: list[Span] = []
    first = int(np.searchsorted(tunes[:, 1], start)) if len(tunes) else 0
    at = start

    def add(to: float, kind: SpanKind) -> None:
        nonlocal at
        if to > at:
            spans.append(Span(at, to, kind))
            at = to

    for a, b in tunes[first:].tolist():
        if a >= end:
            break
        heard, gone = max(round(a, 3), start), min(round(b, 3), end)
        if gone - heard >= config.min_music:
            add(heard, "silence")
            add(gone, "music")
    add(end, "silence")
    return spans


def _with_second_opinion(
    table: FrameTable, config: SegmentConfig, second_opinion: SecondOpinion, read: Read
) -> npt.NDArray[np.uint8]:
    """The model's probabilities, mixed with silero's where the model is unsure.

    Regions are asked about in batches of like length, so that little of a batch is padding and only its samples
    are in memory. Each is read from half a second before: silero needs a run-up.
    """
    regions = unsure_regions(table, config)
    regions = regions[np.argsort(regions[:, 1] - regions[:, 0], kind="stable")]
    speech, trust = table.speech.copy(), config.trust_in_opinion
    for first in range(0, len(regions), ASKED_AT_ONCE):
        batch = regions[first : first + ASKED_AT_ONCE]
        run_ups = np.minimum(batch[:, 0], HALF_SECOND)
        pieces = [
            read((a - before) / FRAMES_PER_SECOND, min(b / FRAMES_PER_SECOND, table.seconds))
            for (a, b), before in zip(batch.tolist(), run_ups.tolist(), strict=True)
        ]
        for (a, b), before, heard in zip(batch, run_ups, second_opinion(pieces), strict=True):
            answer = heard[before : before + b - a]
            asked = speech[a : a + len(answer)]
            mixed = (1 - trust) * asked + trust * 255 * answer
            sure = answer >= config.sure_of_speech  # then its word is enough: lost speech is worse than kept noise
            asked[:] = np.rint(np.where(sure, np.maximum(mixed, config.speech_on * 255 + 1), mixed))
    return np.asarray(speech, np.uint8)


def unsure_regions(table: FrameTable, config: SegmentConfig) -> Runs:
    """Frames worth asking about, most doubtful first until their share of the recording is used up; 10 s at most each."""
    doubt = doubt_per_half_second(table)
    asked = doubt > config.doubt_worth_asking
    most = int(len(doubt) * config.opinion_share)
    if asked.sum() > most:
        asked[np.argsort(-doubt, kind="stable")[most:]] = False
    runs = runs_at_least(asked.astype(np.uint8), 1) * HALF_SECOND
    parts = [(at, min(at + LONGEST_ASKED, b)) for a, b in runs.tolist() for at in range(a, b, LONGEST_ASKED)]
    return np.array(parts, np.int64).reshape(-1, 2)


def doubt_per_half_second(table: FrameTable, piece: int = 4096) -> npt.NDArray[np.float32]:
    """How unsure the frames are on average: near one half, or speech and music at once."""
    halves = len(table.speech) // HALF_SECOND
    doubts = [np.zeros(0, np.float32)]
    for first in range(0, halves, piece):
        a, b = first * HALF_SECOND, min(first + piece, halves) * HALF_SECOND
        speech = table.speech[a:b] / np.float32(255)
        music = table.music_frames(a, b) / np.float32(255)
        worst = np.maximum(4 * speech * (1 - speech), speech * music)
        doubts.append(worst.reshape(-1, HALF_SECOND).mean(axis=1))
    return np.concatenate(doubts)
