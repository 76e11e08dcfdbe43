"""Ingest: a file becomes a recording, in one streaming pass.

The bytes are hashed, then decoded once; each block of samples goes to the frame analysis and to a
scratch file, from which later stages cut clips. Nothing grows with the recording's length except the
frame table. The same bytes under a second name are recognised by their hash and not decoded again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from aramega.audio.clips import as_floats
from aramega.audio.decode import AudioError, Decoder, Probe, probe, require_ffmpeg
from aramega.audio.frames import FrameAnalyzer
from aramega.config import IngestConfig
from aramega.records import RATE, Recording, Source, from_dict, recording_id
from aramega.stages.audio import hash_file
from aramega.stages.base import Stage, Takes
from aramega.workspace import Workspace, whole_file


class Ingest(Stage[Source]):
    name = "ingest"
    version = 1
    takes = Takes.SOURCE
    makes = (Recording,)

    options: IngestConfig

    def check(self) -> None:
        require_ffmpeg()

    def run(self, item: Source) -> Sequence[Recording]:
        options = self.options
        found = probe(item.path, audio_stream=options.audio_stream, stall_seconds=options.stall_seconds)
        _refuse_endless(found, options.max_hours)
        sha256, size = hash_file(item.path)
        known = self._already_ingested(recording_id(sha256))
        if known:
            return [replace(known, name=Path(item.path).name)]
        recording = self._decode(item, found, sha256, size)
        self._remember(recording)
        return [recording]

    def _decode(self, item: Source, found: Probe, sha256: str, size: int) -> Recording:
        recording = recording_id(sha256)
        analyzer = FrameAnalyzer()
        decoder = Decoder(
            item.path, found, audio_stream=self.options.audio_stream, stall_seconds=self.options.stall_seconds
        )
        with (
            decoder,
            whole_file(self.workspace.audio(recording, self.options.audio_stream)) as part,
            part.open("wb") as scratch,
        ):
            samples = 0
            for block in decoder:
                samples += block.size
                _refuse_long(samples / RATE, self.options.max_hours)
                scratch.write(block.data)
                analyzer.feed(as_floats(block))
            if not samples:
                raise AudioError(f"no sound could be decoded ({decoder.last_words()}).")
        if os.stat(item.path).st_size != size:
            raise AudioError("changed while it was being read. Run again when it is complete.")
        table = analyzer.finish()
        with whole_file(self.workspace.frames(recording)) as part:
            table.save(part)
        truncated, note = _what_went_wrong(decoder, found, samples / RATE)
        return Recording(
            id=recording,
            sha256=sha256,
            name=Path(item.path).name,
            bytes=size,
            seconds=samples / RATE,
            container=found.container,
            codec=found.codec,
            sample_rate=found.sample_rate,
            channels=found.channels,
            audio_stream=self.options.audio_stream,
            measures=replace(table.measures, nonfinite_samples=decoder.nonfinite),
            truncated=truncated,
            note=note,
        )

    def _already_ingested(self, recording: str) -> Recording | None:
        beside = _beside(self.workspace, recording)
        if not beside.exists() or not self.workspace.frames(recording).exists():
            return None
        kept = json.loads(beside.read_text(encoding="utf-8"))
        return from_dict(Recording, kept["recording"]) if kept["made_by"] == self._made_by() else None

    def _remember(self, recording: Recording) -> None:
        kept = {"made_by": self._made_by(), "recording": asdict(recording)}
        with whole_file(_beside(self.workspace, recording.id)) as part:
            part.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")

    def _made_by(self) -> list[object]:
        return [self.version, self.options.deciding()]


def _beside(workspace: Workspace, recording: str) -> Path:
    return workspace.frames(recording).with_suffix(".json")


def _refuse_endless(found: Probe, max_hours: float) -> None:
    if found.seconds is not None:
        _refuse_long(found.seconds, max_hours)


def _refuse_long(seconds: float, max_hours: float) -> None:
    if seconds > max_hours * 3600:
        raise AudioError(
            f"{seconds / 3600:.1f} hours long or more; ingest.max_hours is {max_hours:g}. Raise it if the file is really that long, "
            "then run again with --retry-failed."
        )


def _what_went_wrong(decoder: Decoder, found: Probe, seconds: float) -> tuple[bool, str]:
    """Whether the end is missing, and the decoder's complaint in words; what was decoded is kept."""
    notes = []
    missing = 0.0 if found.seconds is None or found.seconds_are_a_guess else found.seconds - seconds
    truncated = decoder.exit_code != 0 or missing > max(2.0, 0.01 * seconds)
    if missing > max(2.0, 0.01 * seconds):
        notes.append(f"ends {missing:.0f} s before its header says")
    if decoder.nonfinite:
        notes.append(f"{decoder.nonfinite} samples are not numbers; taken as silence")
    if decoder.complained:
        notes.append(f"the decoder complained {decoder.complained} time(s), last: {decoder.last_words()}")
    return truncated, "; ".join(notes)
