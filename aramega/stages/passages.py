"""Passages: the stretches of a recording that get one summary, and their clips.

A passage is a run of segments with no long pause and no music inside. We choose the cut points by
dynamic programming over pauses rather than greedily, so that one late long pause can't leave a
ten-second orphan behind. Topic is not looked at here: that needs text.

A run too short to make a passage is joined to its neighbour, though a long pause or some music lies
between, where that is not too long: a slow reader pauses for as long as a news programme does between
two stories, and a held vowel may be taken for music. A run that is short by a breath takes more of the air
around it. What has no neighbour near enough, such as a headline between two jingles, is left out;
`report/left_out.py` says how much that is, and why.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

from aramega.audio.clips import encode_flac, read_samples
from aramega.config import PassagesConfig
from aramega.records import Part, Passage, Segment, SegmentedRecording, Span, stretch_id
from aramega.stages.audio import decoded_audio
from aramega.stages.base import Stage, Takes
from aramega.stages.names import INGEST, PASSAGES, SEGMENT

_ORPHAN_COST = 1e6
"""For each second of speech that is left out: more than all else can cost, so that as little is as is possible."""
_MOST_AIR = 1.0
"""Seconds of air that a passage may take beyond its margins to be long enough: of read prayers of 16 s, one in ten was
left out for less than half a second."""
_BRIDGE_COST = 1e3
"""More than any cuts and lengths can cost: a pause or music is bridged only where speech would be left out."""


class Passages(Stage[SegmentedRecording]):
    name = PASSAGES
    version = 3
    takes = Takes.RECORDING
    makes = (Passage,)
    counts = "passage"
    table = "passages"
    after: ClassVar[tuple[str, ...]] = (INGEST, SEGMENT)
    parts = Part.SEGMENTS | Part.TIMELINE
    needs_audio = True

    options: PassagesConfig

    def run(self, item: SegmentedRecording) -> Sequence[Passage]:
        spans = item.timeline.spans if item.timeline else ()
        runs = plan_passages(item.segments, spans, self.options, item.recording.seconds)
        passages = self._cut(item, runs) if runs else []
        if self.workspace.is_away:
            self.workspace.drop_audio(item.id)
        return passages

    def _cut(self, item: SegmentedRecording, runs: Sequence[Sequence[Segment]]) -> list[Passage]:
        audio = decoded_audio(item, self.workspace)
        rooms = breathing_rooms(item.segments, item.recording.seconds)
        passages = []
        for run in runs:
            start, end = clip_bounds(run, rooms, self.options)
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
    segments: Sequence[Segment], spans: Sequence[Span], options: PassagesConfig, seconds: float
) -> list[Sequence[Segment]]:
    """Group `segments` of a recording of so many seconds, in order, into runs within the limits, cutting at the longest
    pauses and at music."""
    breaks = find_breaks(segments, spans, options)
    rooms = breathing_rooms(segments, seconds)
    stories = split_stories(segments, breaks, options)
    return [run for story in stories for run in _cut_story(story, breaks, rooms, options)]


def find_breaks(segments: Sequence[Segment], spans: Sequence[Span], options: PassagesConfig) -> set[str]:
    """Ids of the segments before which a passage should end whatever its length: a long pause, or music."""
    gaps = [(a.end, b.start) for a, b in pairwise(segments)]
    return {
        after.id
        for after, (start, end), music in zip(segments[1:], gaps, _music_in(gaps, spans), strict=True)
        if end - start >= options.max_pause or music > options.max_music
    }


def split_stories(
    segments: Sequence[Segment], breaks: Collection[str], options: PassagesConfig
) -> Iterator[Sequence[Segment]]:
    """Cut at the breaks that nothing may bridge, for they are too long."""
    begin = 0
    for i, (before, after) in enumerate(pairwise(segments), start=1):
        if after.id in breaks and after.start - before.end > options.join_within:
            yield segments[begin:i]
            begin = i
    if segments:
        yield segments[begin:]


def breathing_rooms(segments: Sequence[Segment], seconds: float) -> dict[str, tuple[float, float]]:
    """How far each segment's clip may reach: half way to the neighbours, or to the recording's ends."""
    edges = [0.0, *((a.end + b.start) / 2 for a, b in pairwise(segments)), seconds]
    return {segment.id: (edges[i], edges[i + 1]) for i, segment in enumerate(segments)}


def clip_bounds(
    run: Sequence[Segment], rooms: Mapping[str, tuple[float, float]], options: PassagesConfig
) -> tuple[float, float]:
    """Where the clip of `run` starts and ends: some air around it, none of it a neighbour's."""
    before, after = rooms[run[0].id][0], rooms[run[-1].id][1]
    start = max(before, run[0].start - options.margin)
    end = min(after, run[-1].end + options.margin)
    if _with_margins(run, options) >= options.min_seconds - _MOST_AIR and end - start < options.min_seconds:
        end = min(after, start + options.min_seconds)
        start = max(before, end - options.min_seconds)
    return math.ceil(start * 1000 - 1e-6) / 1000, math.floor(end * 1000 + 1e-6) / 1000


def _cut_story(
    story: Sequence[Segment],
    breaks: Collection[str],
    rooms: Mapping[str, tuple[float, float]],
    options: PassagesConfig,
) -> list[Sequence[Segment]]:
    """The cheapest way to cut one story into passages; runs too short to be one are left out."""
    best = [0.0] + [math.inf] * len(story)
    begins = [0] * (len(story) + 1)
    for end in range(1, len(story) + 1):
        after = story[end].start - story[end - 1].end if end < len(story) else math.inf
        cut = options.cut_cost * math.exp(-after / options.sentence_pause)
        bridged, speech = 0, 0.0
        for begin in range(end - 1, -1, -1):
            length = _with_margins(story[begin:end], options)
            if length > options.max_seconds and begin < end - 1:
                break
            speech += story[begin].seconds
            left_out = 0.0 if _fits(story[begin:end], rooms, options) else _ORPHAN_COST * speech
            cost = best[begin] + _off_target(length, options) + cut + _BRIDGE_COST * bridged + left_out
            bridged += story[begin].id in breaks
            if cost < best[end]:
                best[end], begins[end] = cost, begin
    runs, end = [], len(story)
    while end:
        runs.append(story[begins[end] : end])
        end = begins[end]
    return [run for run in reversed(runs) if _fits(run, rooms, options)]


def _off_target(length: float, options: PassagesConfig) -> float:
    return ((length - options.target_seconds) / options.target_seconds) ** 2


def _with_margins(run: Sequence[Segment], options: PassagesConfig) -> float:
    """Seconds of the run and its margins, though it may have less room than that."""
    return run[-1].end - run[0].start + 2 * options.margin


def _fits(run: Sequence[Segment], rooms: Mapping[str, tuple[float, float]], options: PassagesConfig) -> bool:
    """Whether the run is long enough with its margins, or with some air more that is its own, and not too long."""
    length = _with_margins(run, options)
    if options.min_seconds - _MOST_AIR <= length < options.min_seconds:
        return rooms[run[-1].id][1] - rooms[run[0].id][0] >= options.min_seconds
    return options.min_seconds <= length <= options.max_seconds


def _music_in(gaps: Sequence[tuple[float, float]], spans: Sequence[Span]) -> list[float]:
    """Seconds of music in each gap; both come in order, so one walk does."""
    music = [s for s in spans if s.kind == "music"]
    totals, at = [], 0
    for start, end in gaps:
        while at < len(music) and music[at].end <= start:
            at += 1
        total, i = 0.0, at
        while i < len(music) and music[i].start < end:
            total += min(end, music[i].end) - max(start, music[i].start)
            i += 1
        totals.append(total)
    return totals


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
    pairs = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
    total = sum(w for _, w in pairs)
    return round(sum(v * w for v, w in pairs) / total, 2) if total else None
