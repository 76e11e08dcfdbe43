"""Columns: what each configuration of a published dataset holds, typed once for Arrow, for `datasets` and for the card.

Names are those of our neighbours where they exist (Mega-SSum: id, audio, transcription, summary) and those
`recipes` reads (seconds, clip, verified_…). `dialect` and `emotion` are views: the same files as `ssum`,
fewer columns, only rows that have the label, so that no audio is stored or downloaded thrice.

We write the `huggingface` metadata by hand, in the oldest form that every `datasets` from 3 on reads
(`Sequence`, which it turns into `List`), so that neither their version nor ours decides who can load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aramega.records import RATE

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["string", "float64", "bool", "audio", "strings", "dialect", "emotion"]
Inventories = Mapping[str, Sequence[str]]
"""The classes of `dialect` and of `emotion`."""


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    says: str


@dataclass(frozen=True)
class Configuration:
    name: str
    columns: tuple[Column, ...]
    says: str
    tasks: tuple[str, ...] = ()
    """The Hub's names for what it is for."""
    view_of: str = ""
    """The configuration whose files it reads, if it has none of its own."""
    label: str = ""
    """For a view: the column that must not be null."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def has_audio(self) -> bool:
        return "audio" in self.names


_ID = Column("id", "string", "the passage: recording, first and last millisecond")
_SEGMENT = Column("id", "string", "the segment: recording, first and last millisecond")
_PASSAGE = Column("passage", "string", "the passage the segment lies in: its `id` in `ssum`")
_AUDIO = Column("audio", "audio", "16 kHz mono FLAC, embedded")
_TRANSCRIPTION = Column("transcription", "string", "what is said")
_SUMMARY = Column("summary", "string", "what it comes to, in one to three sentences")
_TITLE = Column("title", "string", "a headline")
_TOPICS = Column("topics", "strings", "what it is about, as a machine has it: no person is asked")
_DIALECT = Column("dialect", "dialect", "the Arabic that is spoken")
_EMOTION = Column("emotion", "emotion", "how it sounds")

_SAID = (_ID, _AUDIO, _TRANSCRIPTION, _SUMMARY, _TITLE, _TOPICS, _DIALECT, _EMOTION)
_PLACE = (
    Column("seconds", "float64", "length of the audio"),
    Column("clip", "string", "SHA-256 of the audio's bytes"),
    Column("speaker", "string", "who speaks, as the source names them"),
    Column("recording", "string", "the broadcast it was cut from: a hash of its bytes"),
    Column("recording_start", "float64", "where in the broadcast it begins, in seconds"),
    Column("recording_end", "float64", "where it ends"),
    Column("programme", "string", "the programme"),
    Column("channel", "string", "the channel"),
    Column("date", "string", "when it was broadcast"),
    Column("licence", "string", "the licence of the recording"),
)
_HEARD = (
    Column("verified_transcription", "bool", "a person confirmed or corrected the transcript"),
    Column("distance_transcription", "float64", "character edits from the machine's draft, per character"),
    Column("asr_model", "string", "what drafted the transcript"),
)
_SUMMED_UP = (
    Column("verified_summary", "bool", "a person confirmed or corrected the summary"),
    Column("distance_summary", "float64", "character edits from the machine's draft, per character"),
    Column("summary_model", "string", "what drafted the summary"),
    Column("summary_prompt", "string", "the prompt's name, version and hash"),
)
_TITLED = (
    Column("verified_title", "bool", "a person confirmed or corrected the title"),
    Column("verified_topics", "bool", "a person confirmed or corrected the topics; no form asks for them yet"),
)
_LABELLED = (
    Column("verified_dialect", "bool", "a person chose or confirmed the dialect"),
    Column("verified_emotion", "bool", "a person chose or confirmed the emotion"),
)
_QUALITY = (
    Column(
        "flags",
        "strings",
        "what people flagged in the passage (music, overlap, several speakers, cut word, other language, "
        "unintelligible); null where nobody has looked",
    ),
    Column("snr_db", "float64", "signal to noise"),
    Column("decision", "string", "what the checks advised: keep, review first or reject"),
    Column("confidence", "float64", "how likely the checks held the draft to be right, 0 to 1"),
)
_RAW = (
    Column("accepted", "bool", "it became a row of the other configurations, or was good enough to"),
    Column("decision", "string", "what the checks advised: keep, review first or reject"),
    Column("draft_transcription", "string", "what the recognizer heard; null, as all texts are, where it was rejected"),
    Column("draft_summary", "string", "what the summarizer wrote"),
    Column("draft_title", "string", "its headline"),
    Column("draft", "string", "JSON: everything machines wrote: lines with scores, labels, checks, verdict"),
    Column("reviews", "string", "JSON: each annotator's last review, under pseudonyms, without comments and times"),
    Column("resolved", "string", "JSON: the answer per field and how it was settled; null where nobody has"),
)

ALL: Mapping[str, Configuration] = {
    one.name: one
    for one in (
        Configuration(
            "ssum",
            (*_SAID, *_PLACE, *_HEARD, *_SUMMED_UP, *_TITLED, *_LABELLED, *_QUALITY),
            "a passage's audio and its summary",
            ("summarization", "automatic-speech-recognition"),
        ),
        Configuration(
            "asr",
            (_SEGMENT, _AUDIO, _TRANSCRIPTION, _PASSAGE, *_PLACE, *_HEARD, *_QUALITY),
            "a segment's audio, at most 30 s, and its transcript",
            ("automatic-speech-recognition",),
        ),
        Configuration(
            "dialect",
            (_ID, _AUDIO, _DIALECT, *_PLACE, _LABELLED[0], *_QUALITY),
            "a passage's audio and its dialect",
            ("audio-classification",),
            view_of="ssum",
            label="dialect",
        ),
        Configuration(
            "emotion",
            (_ID, _AUDIO, _EMOTION, *_PLACE, _LABELLED[1], *_QUALITY),
            "a passage's audio and its emotion",
            ("audio-classification",),
            view_of="ssum",
            label="emotion",
        ),
        Configuration(
            "text_summ",
            (_ID, _TRANSCRIPTION, _SUMMARY, _TITLE, _TOPICS, *_PLACE, *_HEARD, *_SUMMED_UP, *_TITLED, *_QUALITY),
            "a transcript and its summary, without audio",
            ("summarization",),
        ),
        Configuration(
            "raw",
            (_ID, *(c for c in _PLACE if c.name != "clip"), *_RAW),
            "drafts and reviews, for research on annotation; only where it is asked for",
        ),
    )
}


def arrow_schema(configuration: Configuration, inventories: Inventories) -> pa.Schema:
    """The columns as Arrow has them, and, for `datasets`, what they mean."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "audio": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
        "strings": pa.list_(pa.string()),
        "dialect": pa.int64(),
        "emotion": pa.int64(),
    }
    features = {column.name: _feature(column, inventories) for column in configuration.columns}
    told = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema(
        [(column.name, types[column.kind]) for column in configuration.columns], metadata={"huggingface": told}
    )


def _feature(column: Column, inventories: Inventories) -> dict[str, Any]:
    if column.kind == "audio":
        return {"sampling_rate": RATE, "_type": "Audio"}
    if column.kind == "strings":
        return {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"}
    if column.kind in inventories:
        return {"names": list(inventories[column.kind]), "_type": "ClassLabel"}
    return {"dtype": column.kind, "_type": "Value"}


def card_feature(column: Column, inventories: Inventories) -> dict[str, Any]:
    """The column as the YAML of a card declares it."""
    if column.kind == "audio":
        return {"name": column.name, "dtype": {"audio": {"sampling_rate": RATE}}}
    if column.kind == "strings":
        return {"name": column.name, "sequence": "string"}
    if column.kind in inventories:
        names = {str(place): label for place, label in enumerate(inventories[column.kind])}
        return {"name": column.name, "dtype": {"class_label": {"names": names}}}
    return {"name": column.name, "dtype": column.kind}
