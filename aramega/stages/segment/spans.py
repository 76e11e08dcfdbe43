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

from aramega.audio.frames import MUSIC_FRAMES, FrameTable
from aramega.audio.mel import FRAMES_PER_SECOND, HOP
from aramega.config.segment import SegmentConfig
from aramega.records import RATE, Span, SpanKind

Samples = npt.NDArray[np.float32]
SecondOpinion = Callable[[Sequence[Samples]], Sequence[npt.NDArray[np.float32]]]
"""Probabilities of speech per 20 ms frame for each piece of sound."""
Read = Callable[[float, float], Samples]
"""The recording's samples from one second to another."""

Runs = npt.NDArray[np.int64]
"""Rows of (first frame, end frame), in order."""
Seconds = npt.NDArray[np.float64]


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
    runs = _trim_to_floor(table, runs, config)
    runs = join(runs, _frames(config.min_pause))
    runs = runs[runs[:, 1] - runs[:, 0] >= _frames(config.min_speech)]
    keep = [_is_voice(table, speech, a, b, config) for a, b in runs]
    return runs[np.array(keep, bool)] if len(runs) else runs


def hysteresis(values: npt.NDArray[np.uint8], on: int, off: int) -> Runs:
    """Stretches of `values` of at least `off` that reach `on` somewhere."""
    runs = true_runs(values >= off)
    if not len(runs):
        return runs
    strong = np.flatnonzero(values >= on)
    reaching = np.searchsorted(strong, runs[:, 1]) > np.searchsorted(strong, runs[:, 0])
    return runs[reaching]


def true_runs(mask: npt.NDArray[np.bool_]) -> Runs:
    """(first, end) of every stretch of True."""
    padded = np.zeros(len(mask) + 2, np.int8)
    padded[1:-1] = mask
    steps = np.diff(padded)
    return np.stack((np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)), axis=1)


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


def music_runs(table: FrameTable, config: SegmentConfig) -> Runs:
    """Frames of music, whether or not somebody speaks over it."""
    on = round(config.music_on * 255)
    runs = hysteresis(table.music, on, max(1, on // 2)) * MUSIC_FRAMES
    return join(runs, _frames(config.min_music))


def _frames(seconds: float) -> int:
    return round(seconds * FRAMES_PER_SECOND)


def _trim_to_floor(table: FrameTable, runs: Runs, config: SegmentConfig) -> Runs:
    """Take from both ends of a run the frames that are no louder than the noise."""
    if not len(runs):
        return runs
    window = _frames(config.floor_window)
    floor = noise_floor(table.level, window)
    trimmed = []
    for a, b in runs:
        limit = floor[min(a // max(1, window // 2), len(floor) - 1)] + 2 * config.floor_margin_db
        loud = np.flatnonzero(table.level[a:b] > limit)
        if len(loud):
            trimmed.append((a + loud[0], a + loud[-1] + 1))
    return np.array(trimmed, np.int64).reshape(-1, 2)


def _is_voice(table: FrameTable, speech: npt.NDArray[np.uint8], a: int, b: int, config: SegmentConfig) -> bool:
    if speech[a:b].max() >= config.sure_of_speech * 255:
        return True
    return bool(table.gate_frames(a, b).mean() >= config.gate_share)


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
    """The model's probabilities, averaged with silero's where the model is unsure."""
    regions = unsure_regions(table, config)
    speech = table.speech.copy()
    pieces = [read(a / FRAMES_PER_SECOND, min(b * HOP / RATE, table.seconds)) for a, b in regions]
    for (a, b), heard in zip(regions, second_opinion(pieces), strict=True):
        n = min(len(heard), b - a)
        speech[a : a + n] = np.rint((speech[a : a + n].astype(np.float32) + 255 * heard[:n]) / 2)
    return np.asarray(speech, np.uint8)


def unsure_regions(table: FrameTable, config: SegmentConfig) -> Runs:
    """Frames where the smoothed probability is neither low nor high, with half a second about them."""
    window = 25
    smooth = np.convolve(table.speech, np.ones(window) / window, "same")
    unsure = true_runs((smooth > config.unsure_low * 255) & (smooth < config.unsure_high * 255))
    unsure[:, 0] = np.maximum(unsure[:, 0] - window, 0)
    unsure[:, 1] = np.minimum(unsure[:, 1] + window, len(table.speech))
    return join(unsure, window)
