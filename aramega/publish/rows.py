"""Rows: a passage and what is settled of it, as the columns a stranger will load.

Of a passage that nobody has reviewed the answer is its draft, marked as verified by no one. An unknown is null
in every column, never an empty string, so that nobody mistakes "not asked" for "nothing". Pure: the audio
is read elsewhere, and whether a row is published is decided in `choose`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from aramega.publish.anonymous import PRIVATE_FIELDS, Pseudonyms, public_answer, public_reviews
from aramega.publish.columns import Inventories
from aramega.records import (
    Draft,
    DraftedPassage,
    Line,
    Metadata,
    ResolvedPassage,
    Review,
    milliseconds,
)
from aramega.records.choices import PERSONAL_DATA, current_flag

Row = dict[str, Any]


def passage_row(drafted: DraftedPassage, resolved: ResolvedPassage, inventories: Inventories) -> Row:
    """Every column of `ssum`, `text_summ` and the two views, but for the audio."""
    passage, draft = drafted.passage, drafted.draft
    return {
        "id": passage.id,
        "transcription": resolved.transcript.value or None,
        "summary": resolved.summary.value or None,
        "title": resolved.title.value or None,
        "topics": list(resolved.topics),
        "dialect": class_number(resolved.dialect.value, inventories["dialect"]),
        "emotion": class_number(resolved.emotion.value, inventories["emotion"]),
        **_place(drafted, passage.start, passage.end),
        "clip": passage.clip_sha256,
        "verified_transcription": resolved.transcript.verified,
        "distance_transcription": resolved.transcript.distance,
        "asr_model": draft.transcript.model if draft.transcript else None,
        "verified_summary": resolved.summary.verified,
        "distance_summary": resolved.summary.distance,
        "summary_model": draft.summary.model if draft.summary else None,
        "summary_prompt": (draft.summary.prompt or None) if draft.summary else None,
        "verified_title": resolved.title.verified,
        "verified_topics": False,  # no form asks for them
        "verified_dialect": resolved.dialect.verified,
        "verified_emotion": resolved.emotion.verified,
        **_quality(drafted, resolved),
    }


def segment_rows(drafted: DraftedPassage, resolved: ResolvedPassage) -> list[Row]:
    """The rows of `asr`. Their `clip` is known once their audio is cut; `seconds` and times say where to cut.

    A corrected transcript that was not laid back onto the segments gives none: nobody knows which words are whose.
    """
    draft, inside = drafted.draft, drafted.passage
    return [
        {
            "id": line.segment,
            "transcription": line.text,
            "passage": drafted.id,
            **_place(drafted, max(line.start, inside.start), min(line.end, inside.end)),
            "verified_transcription": resolved.transcript.verified,
            "distance_transcription": resolved.transcript.distance,
            "asr_model": draft.transcript.model if draft.transcript else None,
            **_quality(drafted, resolved),
        }
        for line in resolved.lines
        if line.text.strip() and min(line.end, inside.end) > max(line.start, inside.start)
    ]


def raw_row(drafted: DraftedPassage, resolved: ResolvedPassage, reviews: Sequence[Review], names: Pseudonyms) -> Row:
    """What people said, and the texts of the draft; of a passage that was rejected no text, only why."""
    passage = drafted.passage
    draft = drafted.draft if resolved.accepted else Draft(verdict=drafted.draft.verdict)
    return {
        "id": passage.id,
        **_place(drafted, passage.start, passage.end),
        "accepted": resolved.accepted,
        "decision": draft.verdict.decision if draft.verdict else None,
        "draft_transcription": draft.transcript.text if draft.transcript else None,
        "draft_summary": draft.summary.text if draft.summary else None,
        "draft_title": draft.summary.title if draft.summary else None,
        "draft": None,
        "reviews": to_json([_told(one) for one in public_reviews(reviews, names, accepted=resolved.accepted)]),
        "resolved": to_json(plain(public_answer(resolved, names))) if resolved.reviews else None,
    }


def whole_draft(drafted: DraftedPassage) -> str:
    """The `draft` of a raw row: apart, for it is the better part of a survey and only `raw` wants it."""
    return to_json({name: part for name, part in plain(drafted.draft).items() if part is not None})


def public_flags(resolved: ResolvedPassage) -> list[str] | None:
    """What people flagged; None where nobody has looked. A flag for personal data was cleared, or there is no row."""
    if not resolved.reviews:
        return None
    return [name for name in map(current_flag, resolved.flags) if name != PERSONAL_DATA]


def _told(review: Review) -> Row:
    """A review as JSON, without the fields that are never published."""
    return {name: value for name, value in plain(review).items() if name not in PRIVATE_FIELDS}


def class_number(label: str, labels: Sequence[str]) -> int | None:
    """The label's place in its inventory; None where it is unknown. One that is not there is the caller's to find."""
    return labels.index(label) if label in labels else None


def content_hash(row: Mapping[str, Any]) -> bytes:
    """64 bits of what a row says: two versions of a row are equal if these are."""
    return hashlib.blake2b(_SORTED(row).encode(), digest_size=8).digest()


def _place(drafted: DraftedPassage, start: float, end: float) -> Row:
    about: Metadata = drafted.recording.metadata
    return {
        "seconds": (milliseconds(end) - milliseconds(start)) / 1000,
        "speaker": about.speaker or None,
        "recording": drafted.recording.id,
        "recording_start": start,
        "recording_end": end,
        "programme": about.programme or None,
        "channel": about.channel or None,
        "date": about.date or None,
        "licence": about.licence or None,
    }


def _quality(drafted: DraftedPassage, resolved: ResolvedPassage) -> Row:
    verdict = drafted.draft.verdict
    return {
        "flags": public_flags(resolved),
        "snr_db": drafted.passage.snr_db,
        "decision": verdict.decision if verdict else None,
        "confidence": verdict.confidence if verdict else None,
    }


def plain(value: Any) -> Any:
    """A record as JSON has it. `dataclasses.asdict` copies every number deeply: 2 ms a passage, most of a survey."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names_of(type(value))}
    if isinstance(value, tuple):
        return list(map(plain, value)) if value and is_dataclass(value[0]) else list(value)
    return value


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """A recognizer's token numbers mean something to that recognizer only, and are half of a draft's bytes."""
    return tuple(field.name for field in fields(kind) if (kind, field.name) != (Line, "tokens"))


# json.dumps makes an encoder anew for each call that wants anything unusual, which costs more than the encoding.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
