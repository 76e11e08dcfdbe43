"""The segment stage: from a recording's frame table to its timeline and its segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aramega.audio.clips import as_floats, read_samples
from aramega.audio.measures import bandwidth, loudness, snr_db
from aramega.audio.table import FrameTable
from aramega.backends.second_opinion import SileroVad, require_second_opinion
from aramega.config import SegmentConfig
from aramega.records import Part, Segment, SegmentedRecording, Timeline, stretch_id
from aramega.stages.audio import decoded_audio
from aramega.stages.base import Stage, Takes
from aramega.stages.names import INGEST, SEGMENT
from aramega.stages.segment.plan import PlannedSegment, plan_segments
from aramega.stages.segment.spans import Read, SecondOpinion, find_spans


class SegmentStage(Stage[SegmentedRecording]):
    name = SEGMENT
    version = 2
    takes = Takes.RECORDING
    makes = (Timeline, Segment)
    counts = "segment"
    table = "segments"
    after = (INGEST,)
    parts = Part(0)
    needs_audio = True

    options: SegmentConfig

    _listener: SecondOpinion | None = None

    def check(self) -> None:
        if self.options.second_opinion:
            require_second_opinion()

    def prepare(self) -> None:
        if self.options.second_opinion:
            self._listener = SileroVad()

    def run(self, item: SegmentedRecording) -> Sequence[Timeline | Segment]:
        with self.workspace.borrow(self.workspace.relative(self.workspace.frames(item.id))) as frames:
            table = FrameTable.load(frames)
        spans = find_spans(table, self.options, self._listener, read=self._reader(item))
        segments = [_segment(item.id, planned, table) for planned in plan_segments(spans, table, self.options)]
        return [Timeline(item.id, tuple(spans)), *segments]

    def _reader(self, item: SegmentedRecording) -> Read:
        """Samples on demand: only a second opinion ever asks for them."""

        def read(start: float, end: float) -> npt.NDArray[np.float32]:
            return as_floats(read_samples(decoded_audio(item, self.workspace), start, end))

        return read


def _segment(recording: str, planned: PlannedSegment, table: FrameTable) -> Segment:
    return Segment(
        id=stretch_id(recording, planned.start, planned.end),
        recording=recording,
        start=planned.start,
        end=planned.end,
        forced_start=planned.forced_start,
        forced_end=planned.forced_end,
        snr_db=_rounded(snr_db(table, planned.start, planned.end)),
        loudness_lufs=_rounded(loudness(table, planned.start, planned.end)),
        bandwidth_hz=_rounded(bandwidth(table, planned.start, planned.end)),
    )


def _rounded(value: float | None) -> float | None:
    """Two places: a hundredth of a decibel is more than any of these can know."""
    return None if value is None else round(float(value), 2)
