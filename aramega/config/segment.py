"""Options of the segment stage."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from aramega.config.base import Options


class SegmentConfig(Options):
    """Finding speech, telling it from music and noise, and cutting it at pauses."""

    speech_on: float = Field(
        0.6,
        gt=0,
        lt=1,
        description="Speech begins where its probability rises over this. Higher keeps less noise and clips soft onsets.",
    )
    speech_off: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Speech ends where its probability falls below this; far lower than speech_on, so that neither a faint syllable nor the swell of a hall between two ends it.",
    )
    sure_of_speech: float = Field(
        0.9,
        gt=0,
        le=1,
        description="A stretch whose probability reaches this is kept even if webrtcvad's gate stayed shut; whispers need it.",
    )
    gate_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of a stretch that webrtcvad must call speech, else it is dropped. 0 turns the gate off.",
    )
    sure_over_music: float = Field(
        0.4,
        ge=0,
        le=1,
        description="A stretch with music in it is speech only if its mean probability reaches this. Higher keeps less music and loses slow voices that sound like it.",
    )
    min_speech: float = Field(
        0.16,
        ge=0,
        description="Shorter bursts are dropped, in seconds: a click or a breath, while the shortest words last 0.2 s.",
    )
    min_pause: float = Field(
        0.2,
        ge=0,
        description="Shorter gaps belong to the speech around them, in seconds: a stop consonant is silent for up to 0.15 s.",
    )
    floor_window: float = Field(
        20.0,
        gt=0,
        description="The noise floor is the quietest tenth of this many seconds, so that it follows the programme.",
    )
    floor_margin_db: float = Field(
        0.0,
        ge=0,
        description="Ends of speech within this of the noise floor are trimmed, unless the model is sure of them. At 1 dB speech in loud noise lost its edges.",
    )
    music_on: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Where there is no speech, music is what has this probability; it only names what is left out.",
    )
    min_music: float = Field(
        0.8, ge=0, description="Shorter music counts as silence, in seconds: one struck note or a beep is no jingle."
    )
    max_seconds: float = Field(30.0, gt=0.5, le=30, description="Longest segment, in seconds: Whisper's window.")
    worth_a_cut: float = Field(
        0.25,
        gt=0,
        description="A pause this long, in seconds, is worth a new segment. Raise it to 1 for fewer and longer segments with their pauses inside.",
    )
    tiny_seconds: float = Field(
        0.6,
        ge=0,
        description="A segment shorter than this, in seconds, is joined to a neighbour where the pause between is not much longer than worth_a_cut.",
    )
    padding: float = Field(
        0.03,
        ge=0,
        le=1,
        description="Air added to both ends of a segment, in seconds, never past the middle of the pause to the next. Clips have their own margin.",
    )
    fade: float = Field(
        0.16,
        ge=0,
        le=1,
        description="A segment goes on for up to this many seconds more while what follows is louder than the noise: a breath, the end of an echo. Never past the middle of the pause.",
    )
    second_opinion: bool = Field(
        False,
        description="Ask silero-vad where the model is unsure. Needs `pip install '.[second-opinion]'` in aramega's clone; doubles the time.",
    )
    doubt_worth_asking: float = Field(
        0.4,
        ge=0,
        le=1,
        description="With a second opinion: half seconds more doubtful than this are put to silero-vad. 0 asks about everything.",
    )
    opinion_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="With a second opinion: ask about at most this share of a recording, the most doubtful first; it bounds the time.",
    )
    trust_in_opinion: float = Field(
        0.5,
        ge=0,
        le=1,
        description="With a second opinion: silero-vad's weight against the model's own probability; where silero is sure of speech its word is enough.",
    )

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> Self:
        for low, high in (
            ("speech_off", "speech_on"),
            ("speech_on", "sure_of_speech"),
            ("tiny_seconds", "max_seconds"),
        ):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} ({getattr(self, low):g}) is greater than {high} ({getattr(self, high):g})")
        return self
