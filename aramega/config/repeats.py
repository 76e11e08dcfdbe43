"""Options of the repeats stage."""

from __future__ import annotations

from pydantic import Field

from aramega.config.base import CHANGES_NOTHING, Options


class RepeatsConfig(Options):
    """The same sound again: what was broadcast before is known by its sound, before anything is transcribed."""

    enabled: bool = Field(
        False,
        json_schema_extra=CHANGES_NOTHING,
        description="Look for each recording's sound in those that were read before it, and make no passages of long "
        "repeats and of jingles.",
    )
    min_seconds: float = Field(4.0, ge=2, description="The shortest repeat that is noted, in seconds.")
    skip_seconds: float = Field(
        15.0,
        ge=2,
        description="No passages are made of a repeat of at least so many seconds; it was transcribed before.",
    )
    jingle_times: int = Field(
        3,
        ge=2,
        description="What was heard so many times before is a jingle or an advertisement: no passages, however short.",
    )
