"""What is known of a recording before anything is written about it: its sound, its segments, its passages.

Times are float seconds on a grid of one millisecond (sixteen samples at 16 kHz), so that a time, an id
and a sample offset say the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

RATE = 16_000
"""Everything after the decoder is 16 kHz mono, Whisper's and webrtcvad's own rate."""

SpanKind = Literal["speech", "music", "silence"]

ChannelLayout = Literal[
    "",
    "mono",
    "dual mono",
    "stereo",
    "inverted",
    "partly inverted",
    "left only",
    "right only",
    "tone on the left",
    "tone on the right",
    "two speakers",
    "two programmes",
    "centre voice",
    "surround",
]
"""What a recording has on its channels, as it was heard; empty where an older version did not look."""
Downmix = Literal["", "only", "mean", "left", "right", "centre", "all"]
"""What is listened to: the only channel; the average of two, turned over where they cancel each other; one of two; the
centre of a surround sound; all of its channels, weighted by ffmpeg. Empty: as an older version did, ffmpeg's average."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a curator knows of a recording before anyone listens; empty where unknown."""

    title: str = ""
    programme: str = ""
    channel: str = ""
    date: str = ""
    speaker: str = ""
    dialect: str = ""
    licence: str = ""
    url: str = ""
    transcript: str = ""
    """Path of its subtitles, where the curator has some."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as the curator named it. Several sources may hold the same recording."""

    path: str
    metadata: Metadata = field(default_factory=Metadata)


@dataclass(frozen=True, slots=True)
class Measures:
    """How a recording sounds, over its whole length, as 16 kHz mono."""

    loudness_lufs: float | None
    """EBU R128 integrated loudness; None where nothing is above its gate (silence)."""
    peak_dbfs: float
    clipped_share: float
    bandwidth_hz: float
    """The highest frequency that carries signal: 3400 for a telephone, 8000 at most."""
    dc_offset: float
    nonfinite_samples: int = 0
    """NaN and infinite samples of a float file, replaced by silence."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One long audio or video file as it came."""

    id: str
    sha256: str
    name: str
    """The file's name without its folder: for people and exports, not for finding it."""
    bytes: int
    seconds: float
    container: str
    codec: str
    sample_rate: int
    channels: int
    audio_stream: int
    """Which of the file's audio streams this is."""
    measures: Measures
    metadata: Metadata = field(default_factory=Metadata)
    truncated: bool = False
    """The file ends before its own header says, or its tail could not be decoded."""
    note: str = ""
    channel_layout: ChannelLayout = ""
    downmix: Downmix = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the timeline, as heard by the segmenter."""

    start: float
    end: float
    kind: SpanKind


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a recording is made of from its first to its last millisecond."""

    recording: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of speech inside a recording, at most 30 s; its edges lie in pauses unless forced."""

    id: str
    recording: str
    start: float
    end: float
    forced_start: bool = False
    """Cut inside speech, at the lowest energy, because no pause came within 30 s."""
    forced_end: bool = False
    snr_db: float | None = None
    loudness_lufs: float | None = None
    bandwidth_hz: float | None = None

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive segments that belong together: the unit that is summarized, reviewed and published.

    `start` and `end` are those of the clip, with its margin of air, so a segment begins in the clip at
    `segment.start - passage.start`.
    """

    id: str
    recording: str
    start: float
    end: float
    segments: tuple[str, ...]
    speech_seconds: float
    clip: str
    """Path of the FLAC inside the workspace."""
    clip_sha256: str
    snr_db: float | None = None
    loudness_lufs: float | None = None
    bandwidth_hz: float | None = None

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Repeat:
    """A stretch of a recording that was heard before: in an earlier recording, or earlier in this one."""

    start: float
    end: float
    of: str
    """The recording that has it first."""
    of_start: float
    speed: float
    """Seconds of the original for each of this one."""
    times: int
    """How often it was heard before."""
    skipped: bool
    """No passages are made of it."""


@dataclass(frozen=True, slots=True)
class SegmentedRecording:
    """A recording with what is known of its inside: what the stages after ingest work on."""

    recording: Recording
    paths: tuple[str, ...]
    """Where its bytes are, as the curator named them."""
    timeline: Timeline | None = None
    segments: tuple[Segment, ...] = ()
    repeats: tuple[Repeat, ...] = field(default=(), kw_only=True)

    @property
    def id(self) -> str:
        return self.recording.id


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that a stage could not do, and why, in one line a curator can act on."""

    stage: str
    item: str
    error: str
    when: str = ""
    name: str = ""
    """The file's, whatever the item is."""
