"""Passages: the stretches of a recording that get one summary, and their clips.

A passage is a run of segments with no long pause and no music inside. We choose the cut points by
dynamic programming over pauses rather than greedily, so that one late long pause can't leave a
ten-second orphan behind. Topic is not looked at here: that needs text.

A run too short to make a passage, such as a headline between two jingles, is left out; how much that
is, the report says.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from aramega.audio.clips import encode_flac, read_samples
from aramega.config import PassagesConfig
from aramega.records import Passage, Segment, SegmentedRecording, Span, stretch_id
from aramega.stages.audio import decoded_audio
from aramega.stages.base import Stage, Takes

_ORPHAN_COST = 1e6
"""More than any cuts and lengths can cost: speech is left out only where nothing else is possible."""


class Passages(Stage[SegmentedRecording]):
    name = "passages"
    version = 1
    takes = Takes.RECORDING
    makes = (Passage,)
    reads = ("ingest", "segment")
    needs_audio = True

    options: PassagesConfig

    def run(self, item: SegmentedRecording) -> Sequence[Passage]:
        spans = item.timeline.spans if item.timeline else ()
        runs = plan_passages(item.segments, spans, self.options)
        made = self._cut(item, runs) if runs else []
        if self.workspace.is_away:
            self.workspace.drop_audio(item.id)
        return made

    def _cut(self, item: SegmentedRecording, runs: Sequence[Sequence[Segment]]) -> list[Passage]:
        audio = decoded_audio(item, self.workspace)
        rooms = breathing_rooms(item.segments, item.recording.seconds)
        passages = []
        for run in runs:
            start, end = clip_bounds(run, rooms, self.options.margin)
            passage = stretch_id(item.id, start, end)
            clip = self.workspace.clip(item.id, passage)
            content = encode_flac(read_samples(audio, start, end), level=self.options.flac_level)
            with self.workspace.keep(clip) as part:
                part.write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            if self.workspace.is_away:
                clip.unlink()
            passages.append(_passage(passage, run, start, end, self.workspace.relative(clip), sha256))
        return passages


def plan_passages(
    segments: Sequence[Segment], spans: Sequence[Span], options: PassagesConfig
) -> list[Sequence[Segment]]:
    """Group `segments`, in order, into runs within the limits, cutting at the longest pauses and at music."""
    return [run for story in split_stories(segments, spans, options) for run in _cut_story(story, options)]


def split_stories(
    segments: Sequence[Segment], spans: Sequence[Span], options: PassagesConfig
) -> Iterator[Sequence[Segment]]:
    """Break where a passage must end whatever its length: at a long pause, and at music."""
    begin = 0
    gaps = [(a.end, b.start) for a, b in pairwise(segments)]
    for i, (gap, music) in enumerate(zip(gaps, _music_in(gaps, spans), strict=True), start=1):
        if gap[1] - gap[0] >= options.max_pause or music > options.max_music:
            yield segments[begin:i]
            begin = i
    if segments:
        yield segments[begin:]


def breathing_rooms(segments: Sequence[Segment], seconds: float) -> dict[str, tuple[float, float]]:
    """How far each segment's clip may reach: half way to the neighbours, or to the recording's ends."""
    edges = [0.0, *((a.end + b.start) / 2 for a, b in pairwise(segments)), seconds]
    return {segment.id: (edges[i], edges[i + 1]) for i, segment in enumerate(segments)}


def clip_bounds(run: Sequence[Segment], rooms: dict[str, tuple[float, float]], margin: float) -> tuple[float, float]:
    """Where the clip of `run` starts and ends: some air around it, none of it a neighbour's."""
    start = max(rooms[run[0].id][0], run[0].start - margin)
    end = min(rooms[run[-1].id][1], run[-1].end + margin)
    return math.ceil(start * 1000 - 1e-6) / 1000, math.floor(end * 1000 + 1e-6) / 1000


def _cut_story(story: Sequence[Segment], options: PassagesConfig) -> list[Sequence[Segment]]:
    """The cheapest way to cut one story into passages; runs too short to be one are left out."""
    best = [0.0] + [math.inf] * len(story)
    begins = [0] * (len(story) + 1)
    for end in range(1, len(story) + 1):
        after = story[end].start - story[end - 1].end if end < len(story) else math.inf
        for begin in range(end - 1, -1, -1):
            length = story[end - 1].end - story[begin].start + 2 * options.margin
            if length > options.max_seconds and begin < end - 1:
                break
            cost = (
                best[begin]
                + _length_cost(length, options)
                + options.cut_cost * math.exp(-after / options.sentence_pause)
            )
            if cost < best[end]:
                best[end], begins[end] = cost, begin
    runs, end = [], len(story)
    while end:
        runs.append(story[begins[end] : end])
        end = begins[end]
    return [run for run in reversed(runs) if _is_passage(run, options)]


def _length_cost(length: float, options: PassagesConfig) -> float:
    off_target = ((length - options.target_seconds) / options.target_seconds) ** 2
    return off_target + (0.0 if options.min_seconds <= length else _ORPHAN_COST + length)


def _is_passage(run: Sequence[Segment], options: PassagesConfig) -> bool:
    return options.min_seconds <= run[-1].end - run[0].start + 2 * options.margin <= options.max_seconds


def _music_in(gaps: Sequence[tuple[float, float]], spans: Sequence[Span]) -> list[float]:
    """Seconds of music in each gap; both come in order, so one walk does."""
    music = [s for s in spans if s.kind == "music"]
    found, at = [], 0
    for start, end in gaps:
        while at < len(music) and music[at].end <= start:
            at += 1
        total, i = 0.0, at
        while i < len(music) and music[i].start < end:
            total += min(end, music[i].end) - max(start, music[i].start)
            i += 1
        found.append(total)
    return found


def _passage(passage: str, run: Sequence[Segment], start: float, end: float, clip: str, sha256: str) -> Passage:
    weights = [s.seconds for s in run]
    return Passage(
        id=passage,
        recording=run[0].recording,
        start=start,
        end=end,
        segments=tuple(s.id for s in run),
        speech_seconds=round(sum(weights), 3),
        clip=clip,
        clip_sha256=sha256,
        snr_db=_mean([s.snr_db for s in run], weights),
        loudness_lufs=_mean([s.loudness_lufs for s in run], weights),
        bandwidth_hz=_mean([s.bandwidth_hz for s in run], weights),
    )


def _mean(values: Sequence[float | None], weights: Sequence[float]) -> float | None:
    """The mean over time, of those segments whose value is known."""
    known = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
    total = sum(w for _, w in known)
    return round(sum(v * w for v, w in known) / total, 2) if total else None
