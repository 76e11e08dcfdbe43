"""Options of the passages stage."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from aramega.config.base import Options


class PassagesConfig(Options):
    """Grouping segments into the stretches that get one summary each."""

    min_seconds: float = Field(
        15.0, gt=0, description="Shorter is left out, in seconds: there is little to summarize in a headline."
    )
    max_seconds: float = Field(
        120.0,
        gt=0,
        description="Never longer, in seconds: what an annotator can hold in mind, and four Whisper windows.",
    )
    target_seconds: float = Field(
        60.0, gt=0, description="Drawn towards this length, in seconds, where the pauses leave a choice."
    )
    max_pause: float = Field(
        4.0,
        gt=0,
        description="A pause this long, in seconds, ends a passage: the story or the speaker has changed. But see join_within.",
    )
    max_music: float = Field(
        1.0,
        ge=0,
        description="Music between two segments for longer than this, in seconds, ends a passage. But see join_within.",
    )
    join_within: float = Field(
        8.0,
        ge=0,
        description="Speech too short for a passage is joined to its neighbour across a pause or music of at most this many "
        "seconds, rather than left out. 0 leaves it out.",
    )
    sentence_pause: float = Field(
        0.4,
        gt=0,
        description="A cut at a pause of this many seconds costs a third of one at no pause, at twice as many a seventh: "
        "newsreaders pause 0.2 to 0.4 s inside a sentence and 0.6 s or more between two.",
    )
    cut_cost: float = Field(
        2.0,
        ge=0,
        description="What a cut at no pause costs, where a passage twice target_seconds long costs 1. Higher follows the "
        "pauses more and the target less.",
    )
    margin: float = Field(
        0.15, ge=0, le=2, description="Air kept before and after a clip, in seconds, where no neighbour speaks."
    )
    flac_level: int = Field(
        3, ge=0, le=8, description="FLAC compression: 8 costs twice the time of 3 and saves a twentieth of the space."
    )

    @model_validator(mode="after")
    def _lengths_are_in_order(self) -> Self:
        if self.min_seconds > self.max_seconds:
            raise ValueError(f"min_seconds ({self.min_seconds:g}) is greater than max_seconds ({self.max_seconds:g})")
        if not self.min_seconds <= self.target_seconds <= self.max_seconds:
            raise ValueError(
                f"target_seconds ({self.target_seconds:g}) lies outside min_seconds to max_seconds "
                f"({self.min_seconds:g} to {self.max_seconds:g})"
            )
        return self
