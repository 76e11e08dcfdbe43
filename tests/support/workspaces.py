"""Workspaces made by hand: recordings, segments and passages as the stages would leave them, in no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aramega.audio.clips import encode_flac
from aramega.records import (
    RATE,
    Measures,
    Metadata,
    Passage,
    Recording,
    Segment,
    Source,
    Span,
    Timeline,
    milliseconds,
    stretch_id,
)
from aramega.store import Finished, Mark, Store
from aramega.store.results import write_outcomes
from aramega.store.sources import note_sources
from aramega.workspace import WorkspaceFolder

MEASURES = Measures(loudness_lufs=-23.0, peak_dbfs=-1.5, clipped_share=0.0, bandwidth_hz=7200.0, dc_offset=0.001)


def a_recording(number: str, name: str = "news.mp3", seconds: float = 60.0, **more: object) -> Recording:
    known = Recording(
        id=number,
        sha256=number * 4,
        name=name,
        bytes=960_000,
        seconds=seconds,
        container="mp3",
        codec="mp3",
        sample_rate=44_100,
        channels=2,
        audio_stream=0,
        measures=MEASURES,
    )
    return replace(known, **more)  # type: ignore[arg-type]


def segments_at(recording: str, times: Sequence[tuple[float, float]]) -> list[Segment]:
    return [
        Segment(stretch_id(recording, a, b), recording, a, b, snr_db=18.5, loudness_lufs=-22.0, bandwidth_hz=7000.0)
        for a, b in times
    ]


def a_passage(workspace: WorkspaceFolder, segments: Sequence[Segment], margin: float = 0.1) -> Passage:
    recording = segments[0].recording
    start = max(0, milliseconds(segments[0].start) - milliseconds(margin)) / 1000
    end = (milliseconds(segments[-1].end) + milliseconds(margin)) / 1000
    number = stretch_id(recording, start, end)
    return Passage(
        id=number,
        recording=recording,
        start=start,
        end=end,
        segments=tuple(s.id for s in segments),
        speech_seconds=sum(s.seconds for s in segments),
        clip=workspace.relative(workspace.clip(recording, number)),
        clip_sha256="0" * 64,
        snr_db=18.0,
    )


def spans_of(segments: Sequence[Segment], seconds: float) -> tuple[Span, ...]:
    """A timeline in which the segments speak and all else is silent."""
    spans, at = [], 0.0
    for segment in segments:
        if segment.start > at:
            spans.append(Span(at, segment.start, "silence"))
        spans.append(Span(segment.start, segment.end, "speech"))
        at = segment.end
    return (*spans, Span(at, seconds, "silence")) if at < seconds else tuple(spans)


def put_recording(store: Store, recording: Recording, metadata: Metadata | None = None, folder: str = "/in") -> None:
    path = f"{folder}/{recording.id}/{recording.name}"
    note_sources(store, [(Source(path, metadata or Metadata()), recording.bytes, 1)])
    write_outcomes(store, [Finished(Mark("ingest", "a1"), path, (Recording,), [recording], 0.5)])


def put_segments(store: Store, recording: Recording, segments: Sequence[Segment]) -> None:
    timeline = Timeline(recording.id, spans_of(segments, recording.seconds))
    made = [timeline, *segments]
    write_outcomes(store, [Finished(Mark("segment", "b1"), recording.id, (Timeline, Segment), made, 0.5)])


def put_passages(store: Store, recording: Recording, passages: Sequence[Passage]) -> None:
    write_outcomes(store, [Finished(Mark("passages", "c1"), recording.id, (Passage,), list(passages), 0.5)])


def write_clip(workspace: WorkspaceFolder, passage: Passage) -> Path:
    """A clip as long as the passage says, of quiet noise."""
    path = workspace.root / passage.clip
    count = (milliseconds(passage.end) - milliseconds(passage.start)) * RATE // 1000
    noise = np.random.default_rng(0).integers(-200, 200, count, dtype=np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_flac(noise, level=5))
    return path
