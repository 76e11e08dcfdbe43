"""The vocabulary: what a recording, a segment and a passage are.

Every room of the package speaks in these frozen dataclasses. Times are float seconds on a grid of one
millisecond (sixteen samples at 16 kHz), so that a time, an id and a sample offset say the same thing.
Ids are made from content, never from order or from a path: the same bytes give the same ids on any
machine, in any order, with any number of workers.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin

RATE = 16_000
"""Everything after the decoder is 16 kHz mono, Whisper's and webrtcvad's own rate."""

SpanKind = Literal["speech", "music", "silence"]


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
class SegmentedRecording:
    """A recording with what is known of its inside: what the stages after ingest work on."""

    recording: Recording
    paths: tuple[str, ...]
    """Where its bytes are, as the curator named them."""
    timeline: Timeline | None = None
    segments: tuple[Segment, ...] = ()

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


class AramegaError(Exception):
    """Something a user can cause and mend; shown as one line, never as a traceback."""


def recording_id(sha256: str) -> str:
    """64 bits of the content's hash: at 20 million recordings, one chance in 100,000 of any clash."""
    return sha256[:16]


def stretch_id(recording: str, start: float, end: float) -> str:
    """The id of a segment or passage: its recording and its milliseconds."""
    return f"{recording}-{milliseconds(start):09d}-{milliseconds(end):09d}"


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def on_grid(seconds: float) -> float:
    """The nearest whole millisecond, as seconds."""
    return round(seconds * 1000) / 1000


R = TypeVar("R")


def from_json(kind: type[R], text: str) -> R:
    return from_dict(kind, json.loads(text))


def from_dict(kind: type[R], values: Mapping[str, Any]) -> R:
    """Build a record from plain values; keys it does not know are left out (a newer workspace's)."""
    revivers = _revivers(kind)  # type: ignore[arg-type]  # a class is hashable, whatever its metaclass may be
    known = {name: revive(values[name]) for name, revive in revivers.items() if name in values}
    return kind(**known)


Revive = Callable[[Any], Any]


@cache
def _revivers(kind: Hashable) -> dict[str, Revive]:
    """How each field of a record comes back from plain values: settled once a type, since rows come by the million."""
    hints = typing.get_type_hints(kind)
    return {f.name: _reviver(hints[f.name]) for f in fields(kind)}  # type: ignore[arg-type]


def _reviver(hint: Any) -> Revive:
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: None if value is None else from_dict(hint, value)
    if get_origin(hint) is tuple:
        inner = _reviver(get_args(hint)[0])
        return lambda value: None if value is None else tuple(map(inner, value))
    if get_origin(hint) in (typing.Union, types.UnionType):
        return _reviver(next(a for a in get_args(hint) if a is not type(None)))
    return lambda value: value
