"""Where to cut: spans of speech become segments of at most 30 s, by one dynamic programme over all pauses.

Everything is weighed in seconds. A segment costs `worth_a_cut`, a pause kept inside costs its length, so a
pause longer than `worth_a_cut` becomes a cut, a shorter one does not, and where the limit demands a cut the longest
pause is the cheapest. A tiny segment costs extra, up to `TINY_COST`. Speech that runs on for longer than the limit is
also offered its lowest-energy instants, at a price no pause reaches: they are taken only where nothing else
will do, as few as possible, and marked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aramega.audio.mel import FRAMES_PER_SECOND
from aramega.audio.table import FrameTable
from aramega.config.segment import SegmentConfig
from aramega.records import Span
from aramega.stages.segment.spans import noise_floor_at

TINY_COST = 0.5
FORCED_COST = 1000.0
FORCED_CELL = 0.5
"""Seconds among which the quietest frame is a candidate for a forced cut: two to three syllables."""
FADE_OVER_FLOOR_DB = 3.0
"""What is this much louder than the noise floor has not faded yet; steady noise itself swings by about as much."""


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    start: float
    end: float
    forced_start: bool = False
    forced_end: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech that is never cut inside, and what comes after it."""

    start: float
    end: float
    pause: float
    """Seconds until the next piece; infinite after the last."""
    forced_price: float = 0.0
    """What a cut after this piece costs where it is not a pause but the middle of speech."""


def plan_segments(spans: Sequence[Span], table: FrameTable, config: SegmentConfig) -> list[PlannedSegment]:
    """Segments in order, none longer than the limit, none overlapping, that hold all the speech of `spans`."""
    pieces = _pieces([s for s in spans if s.kind == "speech"], table, config)
    segments = [
        PlannedSegment(
            start=pieces[first].start,
            end=pieces[last].end,
            forced_start=first > 0 and pieces[first - 1].forced_price > 0,
            forced_end=pieces[last].forced_price > 0,
        )
        for first, last in cheapest_grouping(pieces, config)
    ]
    return _padded(segments, table, config)


def cheapest_grouping(pieces: Sequence[Piece], config: SegmentConfig) -> list[tuple[int, int]]:
    """First and last piece of each segment."""
    best = [0.0]  # cost of the cheapest grouping of the first n pieces
    came_from = [0]
    for last, piece in enumerate(pieces):
        cost, origin, inside = float("inf"), last, 0.0
        for first in range(last, -1, -1):
            if first < last:
                inside += pieces[first].pause
            seconds = piece.end - pieces[first].start
            if first < last and seconds > config.max_seconds + 1e-9:
                break
            tiny = TINY_COST * max(0.0, 1 - seconds / config.tiny_seconds) if config.tiny_seconds else 0.0
            total = best[first] + config.worth_a_cut + inside + tiny
            if total < cost:
                cost, origin = total, first
        best.append(cost + piece.forced_price)
        came_from.append(origin)
    groups, end = [], len(pieces)
    while end:
        groups.append((came_from[end], end - 1))
        end = came_from[end]
    return groups[::-1]


def _pieces(speech: Sequence[Span], table: FrameTable, config: SegmentConfig) -> list[Piece]:
    pieces: list[Piece] = []
    for i, span in enumerate(speech):
        pause = speech[i + 1].start - span.end if i + 1 < len(speech) else float("inf")
        if span.end - span.start <= config.max_seconds:
            pieces.append(Piece(span.start, span.end, pause))
            continue
        at = span.start
        for cut, price in _quiet_instants(span, table, config):
            pieces.append(Piece(at, cut, 0.0, price))
            at = cut
        pieces.append(Piece(at, span.end, pause))
    return pieces


def _quiet_instants(span: Span, table: FrameTable, config: SegmentConfig) -> list[tuple[float, float]]:
    """The middle of the quietest frame in every half second of a span, with its price: louder costs more."""
    cell = min(FORCED_CELL, config.max_seconds / 4)
    count = max(1, int((span.end - span.start) / cell))
    edges = np.linspace(span.start, span.end, count + 1)
    instants: list[tuple[float, float]] = []
    for a, b in pairwise(edges.tolist()):
        first, end = table.frame(a), table.frame(b)
        middle = round((a + b) / 2, 3)
        price = FORCED_COST
        if end > first:
            level = table.level[first:end]
            quietest = int(np.argmin(level))
            middle = round((first + quietest + 0.5) / FRAMES_PER_SECOND, 3)
            price += float(level[quietest])
        if (instants and middle <= instants[-1][0]) or not span.start < middle < span.end:
            continue
        instants.append((middle, price))
    return instants


def _padded(segments: list[PlannedSegment], table: FrameTable, config: SegmentConfig) -> list[PlannedSegment]:
    """Add air and what fades, at most to the middle of the pause, never past the limit or at a forced cut."""
    if not segments or not (config.padding or config.fade):
        return segments
    seconds, fades = table.seconds, _fades([s.end for s in segments], table, config)
    padded = []
    for i, segment in enumerate(segments):
        before = segment.start - (segments[i - 1].end if i else -segment.start)
        after = (segments[i + 1].start if i + 1 < len(segments) else 2 * seconds - segment.end) - segment.end
        room = max(0.0, config.max_seconds - (segment.end - segment.start)) / 2
        lead = 0.0 if segment.forced_start else min(config.padding, before / 2, room)
        tail = 0.0 if segment.forced_end else min(config.padding + fades[i], after / 2, room)
        start, end = math.ceil(_millis(segment.start - lead)) / 1000, math.floor(_millis(segment.end + tail)) / 1000
        padded.append(PlannedSegment(start, end, segment.forced_start, segment.forced_end))
    return padded


def _fades(ends: Sequence[float], table: FrameTable, config: SegmentConfig) -> list[float]:
    """Seconds for which the sound after each of `ends` stays over the noise floor, at most `config.fade`."""
    longest = round(config.fade * FRAMES_PER_SECOND)
    frames = np.array([table.frame(end) for end in ends])
    limits = (
        noise_floor_at(table.level, frames, round(config.floor_window * FRAMES_PER_SECOND)) + 2 * FADE_OVER_FLOOR_DB
    )
    fades = []
    for end, limit in zip(frames.tolist(), limits, strict=True):
        level = table.level[end : end + longest]
        faded = np.flatnonzero(level <= limit)
        fades.append((int(faded[0]) if len(faded) else len(level)) / FRAMES_PER_SECOND)
    return fades


def _millis(seconds: float) -> float:
    """Rounded only as far as to forget that binary floats can't hold a millisecond."""
    return round(seconds * 1000, 6)
