"""Rows: what is published of a passage, of a segment, and of the work on them, as the columns a stranger will load.

To add a column, add a field to a row: its kind, what the card says of it, and how its value is read. Names are those of
our neighbours where they exist (Mega-SSum: id, audio, transcription, summary) and those `recipes` reads (seconds, clip,
verified_…). Fields stand in the order of the published files.

Of a passage that nobody has reviewed the answer is its draft, marked as verified by no one. An unknown is null
in every column, never an empty string, so that nobody mistakes "not asked" for "nothing". Pure: audio is read
elsewhere, and whether a row is published is decided in `selection`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from aramega.publish.as_json import public_review, to_json, values_of
from aramega.publish.columns import Value, column, columns_of, known_later
from aramega.publish.stretch import Stretch
from aramega.records import ResolvedPassage, milliseconds
from aramega.records.choices import PERSONAL_DATA, current_flag
from aramega.stages.check.evidence import carrying_segments

R = TypeVar("R")

WITH_TEXTS = ("ssum", "text_summ")
WITH_AUDIO = ("ssum", "dialect", "emotion")
DIALECTS = ("ssum", "dialect")
EMOTIONS = ("ssum", "emotion")


def class_number(label: str, labels: Sequence[str]) -> int | None:
    """The label's place in its inventory; None where it is unknown. One that is not there is the caller's to find."""
    return labels.index(label) if label in labels else None


def public_flags(resolved: ResolvedPassage) -> tuple[str, ...] | None:
    """What people flagged; None where nobody has looked. A flag for personal data was cleared, or there is no row."""
    if not resolved.reviews:
        return None
    return tuple(name for name in map(current_flag, resolved.flags) if name != PERSONAL_DATA)


@dataclass(frozen=True)
class _Length:
    seconds: float = column(
        "float64", "length of the audio", lambda s: (milliseconds(s.end) - milliseconds(s.start)) / 1000
    )


@dataclass(frozen=True)
class _Source:
    """Where a stretch comes from."""

    speaker: str | None = column(
        "string", "who speaks, as the source names them", lambda s: s.drafted.recording.metadata.speaker or None, desk=4
    )
    recording: str = column(
        "string", "the broadcast it was cut from: a hash of its bytes", lambda s: s.drafted.recording.id
    )
    recording_start: float = column("float64", "where in the broadcast it begins, in seconds", lambda s: s.start)
    recording_end: float = column("float64", "where it ends", lambda s: s.end)
    programme: str | None = column(
        "string", "the programme", lambda s: s.drafted.recording.metadata.programme or None, desk=1
    )
    channel: str | None = column(
        "string", "the channel", lambda s: s.drafted.recording.metadata.channel or None, desk=2
    )
    date: str | None = column(
        "string", "when it was broadcast", lambda s: s.drafted.recording.metadata.date or None, desk=3
    )
    licence: str | None = column(
        "string", "the licence of the recording", lambda s: s.drafted.recording.metadata.licence or None, desk=5
    )


@dataclass(frozen=True)
class _Transcribed:
    """How the transcript came about. Of both texts and labels, the distance is part of what a change of it means."""

    verified_transcription: bool = column(
        "bool",
        "a person confirmed or corrected the transcript",
        lambda s: s.resolved.transcript.verified,
        group="verification",
        only_in=(*WITH_TEXTS, "asr"),
    )
    distance_transcription: float | None = column(
        "float64",
        "character edits from the machine's draft, per character",
        lambda s: s.resolved.transcript.distance,
        group="verification",
        only_in=(*WITH_TEXTS, "asr"),
    )
    asr_model: str | None = column(
        "string",
        "what drafted the transcript",
        lambda s: s.drafted.draft.transcript.model if s.drafted.draft.transcript else None,
        only_in=(*WITH_TEXTS, "asr"),
    )


@dataclass(frozen=True)
class _Quality:
    flags: tuple[str, ...] | None = column(
        "strings",
        "what people flagged in the passage (music, overlap, several speakers, cut word, other language, "
        "unintelligible); null where nobody has looked",
        lambda s: public_flags(s.resolved),
        group="labels",
    )
    snr_db: float | None = column("float64", "signal to noise", lambda s: s.drafted.passage.snr_db)
    decision: str | None = column(
        "string",
        "what the checks advised: keep, review first or reject",
        lambda s: s.drafted.draft.verdict.decision if s.drafted.draft.verdict else None,
    )
    score: float | None = column(
        "float64",
        "how sure the recognizer and the checks were of the draft, 0 to 1: an order, no probability",
        lambda s: s.drafted.draft.verdict.score if s.drafted.draft.verdict else None,
    )
    confidence: float | None = column(
        "float64",
        "how likely a person accepts the draft unchanged, as learned from this workspace's reviews; null before that",
        lambda s: s.drafted.draft.verdict.confidence if s.drafted.draft.verdict else None,
    )


@dataclass(frozen=True)
class _PassageAnswer:
    id: str = column("string", "the passage: recording, first and last millisecond", lambda s: s.id)
    audio: None = column("audio", "16 kHz mono FLAC, embedded", known_later, group="audio", only_in=WITH_AUDIO)
    transcription: str | None = column(
        "string", "what is said", lambda s: s.text or None, group="transcription", only_in=WITH_TEXTS
    )
    summary: str | None = column(
        "string",
        "what it comes to, in one to three sentences",
        lambda s: s.resolved.summary.value or None,
        group="summary",
        only_in=WITH_TEXTS,
    )
    title: str | None = column(
        "string", "a headline", lambda s: s.resolved.title.value or None, group="summary", only_in=WITH_TEXTS
    )
    topics: tuple[str, ...] = column(
        "strings",
        "what it is about, as a machine has it: no person is asked",
        lambda s: s.resolved.topics,
        group="summary",
        only_in=WITH_TEXTS,
    )
    evidence: tuple[str, ...] = column(
        "strings",
        "for each sentence of the summary, the segments whose words carry it: their `id` in `asr`, with spaces between",
        lambda s: tuple(map(" ".join, carrying_segments(s.resolved.summary.value or "", s.resolved.lines))),
        group="summary",
        only_in=WITH_TEXTS,
    )
    dialect: int | None = column(
        "dialect",
        "the Arabic that is spoken",
        lambda s: class_number(s.resolved.dialect.value, s.inventories["dialect"]),
        group="labels",
        only_in=DIALECTS,
    )
    emotion: int | None = column(
        "emotion",
        "how it sounds",
        lambda s: class_number(s.resolved.emotion.value, s.inventories["emotion"]),
        group="labels",
        only_in=EMOTIONS,
    )


@dataclass(frozen=True)
class _PassageClip:
    clip: str = column("string", "SHA-256 of the audio's bytes", lambda s: s.drafted.passage.clip_sha256, group="audio")


@dataclass(frozen=True)
class _Summarized:
    """How summary, title, topics and labels came about."""

    verified_summary: bool = column(
        "bool",
        "a person confirmed or corrected the summary",
        lambda s: s.resolved.summary.verified,
        group="verification",
        only_in=WITH_TEXTS,
    )
    distance_summary: float | None = column(
        "float64",
        "character edits from the machine's draft, per character",
        lambda s: s.resolved.summary.distance,
        group="verification",
        only_in=WITH_TEXTS,
    )
    summary_model: str | None = column(
        "string",
        "what drafted the summary",
        lambda s: s.drafted.draft.summary.model if s.drafted.draft.summary else None,
        only_in=WITH_TEXTS,
    )
    summary_prompt: str | None = column(
        "string",
        "the prompt's name, version and hash",
        lambda s: (s.drafted.draft.summary.prompt or None) if s.drafted.draft.summary else None,
        only_in=WITH_TEXTS,
    )
    verified_title: bool = column(
        "bool",
        "a person confirmed or corrected the title",
        lambda s: s.resolved.title.verified,
        group="verification",
        only_in=WITH_TEXTS,
    )
    verified_topics: bool = column(
        "bool",
        "a person confirmed or corrected the topics; no form asks for them yet",
        lambda _: False,
        group="verification",
        only_in=WITH_TEXTS,
    )
    verified_dialect: bool = column(
        "bool",
        "a person chose or confirmed the dialect",
        lambda s: s.resolved.dialect.verified,
        group="verification",
        only_in=DIALECTS,
    )
    verified_emotion: bool = column(
        "bool",
        "a person chose or confirmed the emotion",
        lambda s: s.resolved.emotion.verified,
        group="verification",
        only_in=EMOTIONS,
    )


# A dataclass has the fields of its last base first.
@dataclass(frozen=True)
class PassageRow(_Quality, _Summarized, _Transcribed, _Source, _PassageClip, _Length, _PassageAnswer):
    """A row of `ssum`, and, with fewer columns, of `dialect`, `emotion` and `text_summ`."""


@dataclass(frozen=True)
class _SegmentAnswer:
    id: str = column("string", "the segment: recording, first and last millisecond", lambda s: s.id)
    audio: None = column("audio", "16 kHz mono FLAC, embedded", known_later, group="audio")
    transcription: str = column("string", "what is said", lambda s: s.text, group="transcription")
    passage: str = column(
        "string", "the passage the segment lies in: its `id` in `ssum`", lambda s: s.drafted.passage.id
    )


@dataclass(frozen=True)
class _SegmentClip:
    clip: str | None = column("string", "SHA-256 of the audio's bytes", known_later, group="audio")


@dataclass(frozen=True)
class SegmentRow(_Quality, _Transcribed, _Source, _SegmentClip, _Length, _SegmentAnswer):
    """A row of `asr`. Its `clip` is known once its audio is cut; its times say where to cut."""


@dataclass(frozen=True)
class _PassageId:
    id: str = column("string", "the passage: recording, first and last millisecond", lambda s: s.id)


@dataclass(frozen=True)
class _Work:
    """What machines and people did, and how it ended."""

    accepted: bool = column(
        "bool",
        "it became a row of the other configurations, or was good enough to",
        lambda s: s.resolved.accepted,
        group="reviews",
    )
    decision: str | None = column(
        "string",
        "what the checks advised: keep, review first or reject",
        lambda s: s.drafted.draft.verdict.decision if s.drafted.draft.verdict else None,
    )
    draft_transcription: str | None = column(
        "string",
        "what the recognizer heard; null, as all texts are, where it was rejected",
        lambda s: s.drafted.draft.transcript.text if s.drafted.draft.transcript else None,
        group="transcription",
    )
    draft_summary: str | None = column(
        "string",
        "what the summarizer wrote",
        lambda s: s.drafted.draft.summary.text if s.drafted.draft.summary else None,
        group="summary",
    )
    draft_title: str | None = column(
        "string",
        "its headline",
        lambda s: s.drafted.draft.summary.title if s.drafted.draft.summary else None,
        group="summary",
    )
    draft: str | None = column(
        "string",
        "JSON: everything machines wrote: lines with scores, labels, checks, verdict",
        lambda s: s.whole_draft,
    )
    reviews: str = column(
        "string",
        "JSON: each annotator's last review, under pseudonyms, without comments and times",
        lambda s: to_json([public_review(review) for review in s.reviews]),
        group="reviews",
    )
    resolved: str | None = column(
        "string",
        "JSON: the answer per field and how it was settled; null where nobody has",
        lambda s: to_json(values_of(s.answer)) if s.answer else None,
        group="reviews",
    )


@dataclass(frozen=True)
class RawRow(_Work, _Source, _Length, _PassageId):
    """A row of `raw`: what people said, and the texts of the draft; of a rejected passage no text, only why."""


@dataclass
class RowTypes:
    """The rows there are, by what they tell of."""

    passage: type[PassageRow] = PassageRow
    segment: type[SegmentRow] = SegmentRow
    raw: type[RawRow] = RawRow


ROW_TYPES = RowTypes()


def read_row(row: type[R], stretch: Stretch) -> R:
    """The row that tells of the stretch."""
    return row(*[value(stretch) for value in _values_of(row)])  # type: ignore[arg-type]


@cache
def _values_of(row: Hashable) -> tuple[Value, ...]:
    """How each of the row's fields is read, in their order."""
    return tuple(column.value for column in columns_of(row))
