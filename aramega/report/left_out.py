"""Left out: sums the speech that no passage holds, by reason.

A run of speech is left out where it is too short for a passage and nothing near enough could be joined to it. Each such
run is given one reason, from what lies between it and the nearest speech. The segments are read in one pass and in
order, and a recording's timeline only where something of it was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

from aramega.config import PassagesConfig
from aramega.records import Repeat, Span
from aramega.store import Store
from aramega.store.coverage import SegmentPlace, load_spans, segments_where_speech_was_lost
from aramega.store.recordings import load_repeats


class Why(Enum):
    """Why a run of speech is in no passage: a whole reason, or what is said after "too short, and"."""

    REPEATED = "broadcast before"
    ONLY = "its recording has no more speech"
    MUSIC = "music lies between it and the next speech"
    PAUSE = "the next speech is too far away"
    NO_ROOM = "with the next speech it would be too long"


@dataclass(frozen=True)
class LeftOutRun:
    """Segments near each other that are in no passage."""

    recording: str
    start: float
    end: float
    speech: float
    speech_before: float | None
    """When the speech before it ends; None where it is the recording's first."""
    speech_after: float | None
    """When the next speech begins; None where it is the recording's last."""

    @property
    def gaps(self) -> list[tuple[float, float]]:
        before = [] if self.speech_before is None else [(self.speech_before, self.start)]
        after = [] if self.speech_after is None else [(self.end, self.speech_after)]
        return before + after


def sum_left_out(store: Store, options: PassagesConfig) -> dict[Why, float]:
    """Seconds of speech in no passage by reason, over the recordings that lost some; inside `summing_recordings`."""
    seconds = dict.fromkeys(Why, 0.0)
    for recording, segments in groupby(segments_where_speech_was_lost(store), key=lambda segment: segment.recording):
        spans = load_spans(store, recording)
        repeats = [repeat for repeat in load_repeats(store, recording) if repeat.skipped]
        for run in left_out_runs(list(segments), options.join_within):
            why = Why.REPEATED if was_broadcast_before(run, repeats) else why_left_out(run, spans, options)
            seconds[why] += run.speech
    return seconds


def left_out_runs(segments: Sequence[SegmentPlace], join_within: float) -> Iterator[LeftOutRun]:
    """The runs of one recording's segments, in order, that are in no passage; what is not near is another run."""
    begin = 0
    for i in range(1, len(segments) + 1):
        last = segments[i - 1]
        following = segments[i] if i < len(segments) else None
        if (
            following
            and following.in_passage == last.in_passage
            and (last.in_passage or following.start - last.end <= join_within)
        ):
            continue
        if not last.in_passage:
            yield LeftOutRun(
                recording=last.recording,
                start=segments[begin].start,
                end=last.end,
                speech=sum(segment.end - segment.start for segment in segments[begin:i]),
                speech_before=segments[begin - 1].end if begin else None,
                speech_after=following.start if following else None,
            )
        begin = i


def was_broadcast_before(run: LeftOutRun, repeats: Iterable[Repeat]) -> bool:
    """Whether most of the run lies in repeats of which no passages are made."""
    repeated = sum(max(0.0, min(run.end, repeat.end) - max(run.start, repeat.start)) for repeat in repeats)
    return repeated > (run.end - run.start) / 2


def why_left_out(run: LeftOutRun, spans: Iterable[Span], options: PassagesConfig) -> Why:
    """The first reason that holds."""
    if not run.gaps:
        return Why.ONLY
    if min(end - start for start, end in run.gaps) <= options.join_within:
        return Why.NO_ROOM
    tunes = [span for span in spans if span.kind == "music"]
    music = [max(0.0, min(t.end, end) - max(t.start, start)) for start, end in run.gaps for t in tunes]
    return Why.MUSIC if sum(music) > options.max_music else Why.PAUSE
