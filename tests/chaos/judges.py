"""Judges: what is asked of every mutant, and the verdict.

Whatever it is given, aramega either says in one readable line what is wrong, or gives records that hold together.
An error that is not our own, a line with a bell or a novel in it, a segment outside its recording, a clip that does
not decode: each is a violation, and a bug.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import soundfile

from aramega.audio.frames import FrameTable
from aramega.config import Config
from aramega.engine import Answer, Done, Failed, Task
from aramega.engine.worker import Worker
from aramega.pipeline import Pipeline
from aramega.records import RATE, Passage, Recording, Segment, SegmentedRecording, Source, Timeline
from aramega.stages.base import Step, Takes
from aramega.store import Finished, Mark, Store
from aramega.store.items import load_item
from aramega.store.recordings import load_recording
from aramega.store.results import write_outcomes
from aramega.store.sources import note_sources
from aramega.workspace import WorkspaceFolder

LONGEST_LINE = 1000
"""Characters: what a curator reads to its end."""


class Violated(Exception):
    """Something was answered that must not be."""


@dataclass(frozen=True)
class Verdict:
    """What came of one mutant."""

    mutant: str
    reason: str = ""
    """Why it was refused; empty where it gave valid records."""
    violation: str = ""
    seconds: float = 0.0


def check_line(line: str, *, naming: str = "") -> str:
    """The line, if a person at a terminal can read it."""
    if not line.strip():
        raise Violated("an empty explanation")
    if len(line) > LONGEST_LINE:
        raise Violated(f"an explanation of {len(line)} characters: {line[:100]!r}…")
    if not line.isprintable():
        raise Violated(f"an explanation with control characters: {line!r}")
    if "Traceback" in line or 'File "' in line:
        raise Violated(f"a traceback for an explanation: {line!r}")
    if naming and naming not in line:
        raise Violated(f"an explanation that does not name {naming}: {line!r}")
    return line


class SoundJudge:
    """Puts files through the first three stages, as a build's worker does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._workspace = WorkspaceFolder(folder / "workspace")
        short = {"min_seconds": 0.2, "target_seconds": 5.0}  # so that a second and a half of speech makes a clip
        self._worker = Worker(
            Pipeline.from_config(Config.model_validate({"passages": short}), self._workspace).stages[:3]
        )

    def judge(self, name: str, content: bytes) -> str:
        """Why it was refused, or nothing; raises Violated."""
        path = self._folder / name
        path.write_bytes(content)
        try:
            return self._go_through(path)
        finally:
            if path.read_bytes() != content:
                raise Violated("the file itself was changed")
            path.unlink()
            shutil.rmtree(self._workspace.root, ignore_errors=True)

    def _go_through(self, path: Path) -> str:
        source = Source(str(path))
        ingested = self._answer("ingest", source)
        if not isinstance(ingested, Done):
            return _refusal(ingested)
        [recording] = ingested.records
        _check_recording(recording, self._workspace)
        item = SegmentedRecording(recording, (source.path,))
        timeline, *segments = _records(self._answer("segment", item))
        _check_segments(recording, timeline, segments)
        segmented = SegmentedRecording(recording, item.paths, timeline, tuple(segments))
        passages = _records(self._answer("passages", segmented))
        for passage in passages:
            _check_passage(recording, passage, self._workspace)
        self._keep(source, recording, timeline, segments, passages)
        return ""

    def _answer(self, stage: str, item: Any) -> Answer:
        [answer] = [a for a in self._worker.do(Task(stage, ("x",), (item,))) if not isinstance(a, Step)]
        return answer

    def _keep(self, source: Source, recording: Recording, timeline: Timeline, segments: Any, passages: Any) -> None:
        """What was made can be written to a store and comes out of it the same."""
        by_recording = ((("segment"), (Timeline, Segment), [timeline, *segments]), ("passages", (Passage,), passages))
        with Store.create_or_open(self._workspace) as store:
            note_sources(store, [(source, recording.bytes, 1)])
            write_outcomes(store, [Finished(Mark("ingest", "a"), source.path, (Recording,), [recording], 0.1)])
            for stage, kinds, records in by_recording:
                write_outcomes(store, [Finished(Mark(stage, "a"), recording.id, kinds, records, 0.1)])
            if load_recording(store, recording.id) != recording:
                raise Violated("the store gives another recording back")
            if load_item(store, Takes.RECORDING, recording.id).segments != tuple(segments):
                raise Violated("the store gives other segments back")


def _refusal(answer: Answer) -> str:
    if not isinstance(answer, Failed):
        raise Violated(f"neither done nor failed: {answer}")
    if answer.trace:
        raise Violated(f"not an error of ours: {answer.trace}")
    return check_line(answer.error)


def _records(answer: Answer) -> Sequence[Any]:
    """Once a file is a recording, what follows must not fail."""
    if not isinstance(answer, Done):
        raise Violated(f"stage {answer.stage} failed after ingest: {answer}")
    return answer.records


def _check_recording(recording: Recording, workspace: WorkspaceFolder) -> None:
    if not (0 < recording.seconds <= 24 * 3600):
        raise Violated(f"a recording of {recording.seconds} s")
    if not (recording.channels > 0 and recording.sample_rate > 0 and recording.codec and recording.container):
        raise Violated(f"a recording of nothing: {recording}")
    if recording.note:
        check_line(recording.note)
    for name, value in asdict(recording.measures).items():
        if value is not None and not math.isfinite(value):
            raise Violated(f"{name} is {value}")
    samples = workspace.audio(recording.id, recording.audio_stream).stat().st_size / 2
    table = FrameTable.load(workspace.frames(recording.id))
    if not samples == round(recording.seconds * RATE) == round(table.seconds * RATE):
        raise Violated(f"{recording.seconds} s, but {samples / RATE} s of samples and {table.seconds} s of frames")


def _check_segments(recording: Recording, timeline: Timeline, segments: Sequence[Segment]) -> None:
    at = 0.0
    for span in timeline.spans:
        if span.start != at or not span.start < span.end:
            raise Violated(f"a timeline with a hole or an overlap at {at}: {span}")
        at = span.end
    if abs(at - recording.seconds) > 0.001:
        raise Violated(f"a timeline that ends at {at} of {recording.seconds} s")
    at = 0.0
    for segment in segments:
        if not (at <= segment.start < segment.end <= recording.seconds + 0.001 and segment.seconds <= 30.001):
            raise Violated(f"a segment outside its recording or another: {segment}")
        at = segment.end
        for value in (segment.snr_db, segment.loudness_lufs, segment.bandwidth_hz):
            if value is not None and not math.isfinite(value):
                raise Violated(f"a measure that is no number: {segment}")


def _check_passage(recording: Recording, passage: Passage, workspace: WorkspaceFolder) -> None:
    if not 0 <= passage.start < passage.end <= recording.seconds + 0.001:
        raise Violated(f"a passage outside its recording: {passage}")
    clip = workspace.root / passage.clip
    samples, rate = soundfile.read(clip, dtype="int16")
    if rate != RATE or abs(len(samples) - passage.seconds * RATE) > 1:
        raise Violated(f"a clip of {len(samples)} samples at {rate} Hz for {passage.seconds} s")
    if hashlib.sha256(clip.read_bytes()).hexdigest() != passage.clip_sha256:
        raise Violated("a clip that is not the one it says")
