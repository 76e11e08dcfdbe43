"""Options of the ingest stage."""

from __future__ import annotations

from pydantic import Field

from aramega.config.base import Options


class IngestConfig(Options):
    """Reading the files."""

    max_hours: float = Field(
        24.0, gt=0, description="Refuse anything longer, in hours: it is a broken header more often than a broadcast."
    )
    stall_seconds: float = Field(
        120.0, gt=0, description="Give a file up when its decoder has said nothing for this long (a dead disk, a trap)."
    )
    audio_stream: int = Field(
        0, ge=0, description="Which audio stream of the file, counted from 0: dubbed programmes carry several."
    )
    extensions: tuple[str, ...] = Field(
        (
            *(
                "mp3",
                "m4a",
                "aac",
                "opus",
                "ogg",
                "oga",
                "wma",
                "wav",
                "flac",
                "aiff",
                "aif",
                "amr",
                "ac3",
                "mka",
                "caf",
            ),
            *(
                "mp4",
                "mkv",
                "webm",
                "mov",
                "avi",
                "ts",
                "mts",
                "m2ts",
                "mpg",
                "mpeg",
                "flv",
                "3gp",
                "wmv",
                "mxf",
                "w64",
            ),
        ),
        description="What counts as a recording when a folder is searched; a file named by itself is always tried.",
    )
