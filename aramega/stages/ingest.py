"""Ingest: a file becomes a recording, in one streaming pass.

The bytes are hashed, then decoded once; each block of samples goes to the frame analysis and to a
scratch file, from which later stages cut clips. Nothing grows with the recording's length except the
frame table. The same bytes under a second name are recognised by their hash and not decoded again.
A long recording is heard by several workers at once where that makes no difference (see `ranges`). Which of its
channels are listened to is settled by what they held (see `audio.channels`); for a few that takes a second pass.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aramega.audio.channels import ChannelCounts, Verdict, first_guess, judge
from aramega.audio.clips import as_floats
from aramega.audio.decode import AudioError, Decoder, Probe, probe, require_ffmpeg
from aramega.audio.frames import FrameAnalyzer
from aramega.audio.table import FrameTable
from aramega.config import IngestConfig
from aramega.records import RATE, Downmix, Recording, Source, from_dict, recording_id
from aramega.stages.audio import drop_copy, hash_file, local_copy
from aramega.stages.base import Divisible, Pieces, Takes
from aramega.stages.names import INGEST
from aramega.stages.ranges import Heard, Range, hear_range, joined_scratch, joined_table, plan_ranges
from aramega.workspace import WorkspaceFolder, whole_file

_RATES = (1000, 10_000_000)
"""From what carries no speech any more to more than DSD's."""


class Ingest(Divisible[Source]):
    name = INGEST
    version = 4
    takes = Takes.SOURCE
    makes = (Recording,)
    counts = "recording"
    table = "recordings"

    options: IngestConfig

    def check(self) -> None:
        require_ffmpeg()

    def divide(self, item: Source, workers: int) -> Sequence[Recording] | Pieces:
        self.workspace.tidy_away()
        answer = None
        try:
            with local_copy(item.path, self.workspace) as path:
                answer = self._open(item, path, workers)
        finally:
            if not isinstance(answer, Pieces):  # whose workers want the copy
                drop_copy(item.path, self.workspace)
        return answer if isinstance(answer, Pieces) else [answer]

    def _open(self, item: Source, path: str, workers: int) -> Recording | Pieces:
        options = self.options
        probed = probe(path, audio_stream=options.audio_stream, stall_seconds=options.stall_seconds)
        _refuse_endless(probed, options.max_hours)
        _refuse_unheard_of(probed)
        sha256, size = hash_file(path)
        earlier = self._already_ingested(recording_id(sha256))
        if earlier:
            return replace(earlier, name=Path(item.path).name)
        ranges = plan_ranges(probed, workers, options.range_minutes)
        if len(ranges) > 1:
            scratch, guess = self._shared_scratch(item, recording_id(sha256)), self._guess(probed)
            return Pieces(tuple(Range(a, b, probed, sha256, size, guess, scratch) for a, b in ranges))
        return self._decode(item, path, probed, sha256, size)

    def run_piece(self, whole: Source, piece: Range) -> Sequence[Heard]:
        options = self.options
        with local_copy(whole.path, self.workspace) as path:
            return [hear_range(path, piece, audio_stream=options.audio_stream, stall_seconds=options.stall_seconds)]

    def join(self, whole: Source, answers: Sequence[Sequence[Heard]]) -> Sequence[Recording]:
        try:
            with local_copy(whole.path, self.workspace) as path:
                return [self._join(whole, path, [piece for (piece,) in answers])]
        finally:
            drop_copy(whole.path, self.workspace)

    def _join(self, item: Source, path: str, heard: Sequence[Heard]) -> Recording:
        table = joined_table(heard) if heard else None
        if not table:
            return self._alone(item, path)
        part = heard[0].range
        _refuse_long(table.seconds, self.options.max_hours)
        counts = sum((piece.channel_counts for piece in heard), ChannelCounts())
        verdict = judge(part.probed.channels, part.downmix, self.options.downmix, counts)
        if verdict.downmix != part.downmix:
            return self._alone(item, path, verdict)
        if not (scratch := joined_scratch(heard)):
            part.scratch.unlink(missing_ok=True)  # holes where other machines' ranges belong: decoded again if need be
        else:
            scratch.replace(self.workspace.audio(recording_id(part.sha256), self.options.audio_stream))
        return self._keep(item, path, part.probed, part.sha256, part.size, table, _Complaints(), verdict)

    def _alone(self, item: Source, path: str, verdict: Verdict | None = None) -> Recording:
        """By one worker, whatever its length."""
        probed = probe(path, audio_stream=self.options.audio_stream, stall_seconds=self.options.stall_seconds)
        sha256, size = hash_file(path)
        self._shared_scratch(item, recording_id(sha256)).unlink(missing_ok=True)
        return self._decode(item, path, probed, sha256, size, verdict)

    def _guess(self, probed: Probe) -> Downmix:
        return first_guess(probed.channels, probed.channel_layout, self.options.downmix)

    def _shared_scratch(self, item: Source, recording: str) -> Path:
        """Where workers put their ranges' samples; not two copies of a file into one."""
        audio = self.workspace.audio(recording, self.options.audio_stream)
        copy = hashlib.sha256(item.path.encode()).hexdigest()[:8]
        return audio.with_name(f".{audio.name}.{copy}.part")

    def _decode(
        self, item: Source, path: str, probed: Probe, sha256: str, size: int, verdict: Verdict | None = None
    ) -> Recording:
        """In one pass, or in more where the first one hears that it should have listened to other channels."""
        recording = recording_id(sha256)
        if verdict is None:
            guess = self._guess(probed)
            table, complaints, counts = self._hear(path, probed, recording, guess)
            verdict = judge(probed.channels, guess, self.options.downmix, counts)
            if verdict.downmix == guess:
                return self._keep(item, path, probed, sha256, size, table, complaints, verdict)
        if verdict.layout == "two programmes":
            verdict = replace(verdict, downmix=self._where_more_is_said(path, probed, recording))
        table, complaints, _ = self._hear(path, probed, recording, verdict.downmix)
        return self._keep(item, path, probed, sha256, size, table, complaints, verdict)

    def _where_more_is_said(self, path: str, probed: Probe, recording: str) -> Downmix:
        """The channel with more speech, as one has music and effects; the left one of two languages."""
        sides: tuple[Downmix, Downmix] = ("left", "right")
        left, right = (int(self._hear(path, probed, recording, side)[0].speech.sum(dtype="int64")) for side in sides)
        return "right" if right > 1.2 * left else "left"

    def _hear(
        self, path: str, probed: Probe, recording: str, downmix: Downmix
    ) -> tuple[FrameTable, _Complaints, ChannelCounts]:
        """Decode into the scratch file, listening."""
        analyzer = FrameAnalyzer()
        stream, stall = self.options.audio_stream, self.options.stall_seconds
        decoder = Decoder(path, probed, audio_stream=stream, stall_seconds=stall, downmix=downmix)
        with decoder, whole_file(self.workspace.audio(recording, stream)) as part, part.open("wb") as scratch:
            samples = 0
            for block in decoder:
                samples += block.size
                _refuse_long(samples / RATE, self.options.max_hours)
                scratch.write(block.data)
                analyzer.feed(as_floats(block))
            if not samples:
                raise AudioError(f"no sound could be decoded ({decoder.last_words()}).")
        complaints = _Complaints(decoder.exit_code or 0, decoder.nonfinite, decoder.complained, decoder.last_words())
        return analyzer.finish(), complaints, decoder.channel_counts

    def _keep(
        self,
        item: Source,
        path: str,
        probed: Probe,
        sha256: str,
        size: int,
        table: FrameTable,
        complaints: _Complaints,
        verdict: Verdict,
    ) -> Recording:
        """Save what was heard, and say what the file is."""
        if os.stat(path).st_size != size:
            raise AudioError("changed while it was being read. Run again when it is complete.")
        recording = recording_id(sha256)
        with self.workspace.keep(self.workspace.frames(recording)) as part:
            table.save(part)
        truncated, note = _what_went_wrong(complaints, probed, table.seconds)
        ingested = Recording(
            id=recording,
            sha256=sha256,
            name=Path(item.path).name,
            bytes=size,
            seconds=table.seconds,
            container=probed.container,
            codec=probed.codec,
            sample_rate=probed.sample_rate,
            channels=probed.channels,
            audio_stream=self.options.audio_stream,
            measures=replace(table.measures, nonfinite_samples=complaints.nonfinite),
            truncated=truncated,
            note=note,
            channel_layout=verdict.layout,
            downmix=verdict.downmix,
        )
        self._remember(ingested)
        return ingested

    def _already_ingested(self, recording: str) -> Recording | None:
        beside = _beside(self.workspace, recording)
        if not self.workspace.bring(beside) or not self.workspace.bring(self.workspace.frames(recording)):
            return None
        note_beside = json.loads(beside.read_text(encoding="utf-8"))
        before = from_dict(Recording, note_beside["recording"])
        if note_beside["made_by"] == self._made_by():
            return before
        if before.channels == 1 and note_beside["made_by"] == self._made_before_channels():
            return replace(before, channel_layout="mono", downmix="only")
        return None

    def _remember(self, recording: Recording) -> None:
        nameless = replace(recording, name="")  # which of two copies is read first is chance
        note_beside = {"made_by": self._made_by(), "recording": asdict(nameless)}
        with self.workspace.keep(_beside(self.workspace, recording.id)) as part:
            part.write_text(json.dumps(note_beside, ensure_ascii=False), encoding="utf-8")

    def _made_by(self) -> list[object]:
        return [self.version, self.options.deciding()]

    def _made_before_channels(self) -> list[object]:
        """By the version that did not look at channels: the same to the last bit where there is one."""
        return [2, {name: value for name, value in self.options.deciding().items() if name != "downmix"}]


def _beside(workspace: WorkspaceFolder, recording: str) -> Path:
    return workspace.frames(recording).with_suffix(".json")


def _refuse_endless(probed: Probe, max_hours: float) -> None:
    if probed.seconds is not None:
        _refuse_long(probed.seconds, max_hours)


def _refuse_unheard_of(probed: Probe) -> None:
    """A header that is broken so: at one sample a second, 24 kB become seven hours and cost 800 MB to resample."""
    low, high = _RATES
    if not low <= probed.sample_rate <= high:
        raise AudioError(
            f"its header says {probed.sample_rate:,} samples a second, and no recording has fewer than {low:,} or more "
            f"than {high:,}: it must be broken."
        )


def _refuse_long(seconds: float, max_hours: float) -> None:
    if seconds > max_hours * 3600:
        raise AudioError(
            f"{seconds / 3600:.1f} hours long or more; ingest.max_hours is {max_hours:g}. Raise it if the file is really that long, "
            "then run again with --retry-failed."
        )


@dataclass(frozen=True)
class _Complaints:
    """How a decoder ended and what it said; nothing of the kind where it ended well."""

    exit_code: int = 0
    nonfinite: int = 0
    complained: int = 0
    last_words: str = ""


def _what_went_wrong(complaints: _Complaints, probed: Probe, seconds: float) -> tuple[bool, str]:
    """Whether the end is missing, and the decoder's complaint in words; what was decoded is kept."""
    notes = []
    missing = 0.0 if probed.seconds is None or probed.seconds_are_a_guess else probed.seconds - seconds
    truncated = complaints.exit_code != 0 or missing > max(2.0, 0.01 * seconds)
    if missing > max(2.0, 0.01 * seconds):
        notes.append(f"ends {missing:.0f} s before its header says")
    if complaints.nonfinite:
        notes.append(f"{complaints.nonfinite} samples are not numbers; taken as silence")
    if complaints.complained:
        notes.append(f"the decoder complained {complaints.complained} time(s), last: {complaints.last_words}")
    return truncated, "; ".join(notes)
