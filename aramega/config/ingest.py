"""Options of the ingest stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from aramega.config.base import CHANGES_NOTHING, Options

_AUDIO = "mp3 m4a aac opus ogg oga wma wav flac aiff aif amr ac3 mka caf w64"
_VIDEO = "mp4 mkv webm mov avi ts mts m2ts mpg mpeg flv 3gp wmv mxf"


class IngestConfig(Options):
    """Reading the files."""

    max_hours: float = Field(
        24.0,
        gt=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Refuse anything longer, in hours: it is a broken header more often than a broadcast.",
    )
    stall_seconds: float = Field(
        120.0,
        gt=0,
        le=86_400,
        json_schema_extra=CHANGES_NOTHING,
        description="Give a file up when its decoder has said nothing for this long (a dead disk, a trap).",
    )
    audio_stream: int = Field(
        0, ge=0, description="Which audio stream of the file, counted from 0: dubbed programmes carry several."
    )
    downmix: Literal["auto", "mean", "left", "right"] = Field(
        "auto",
        description="Which channels are listened to. auto looks at them: an inverted one is turned over, an empty one or a "
        "time code left out, of two programmes the one with more speech is taken (of two languages the left), of surround sound the centre. mean: always "
        "both. left, right: always that one.",
    )
    range_minutes: float = Field(
        60.0,
        ge=0,
        json_schema_extra=CHANGES_NOTHING,
        description="With several workers, share a recording that is at least twice this long among them, in ranges of at least this many minutes. Done only where it changes nothing (wav, flac, mp3; not AAC, Ogg). 0: never.",
    )
    extensions: tuple[str, ...] = Field(
        tuple(f"{_AUDIO} {_VIDEO}".split()),
        json_schema_extra=CHANGES_NOTHING,
        description="What counts as a recording when a folder is searched; a file named by itself is always tried.",
    )

    @field_validator("extensions")
    @classmethod
    def _without_dots(cls, extensions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(extension.lower().lstrip(".") for extension in extensions)
