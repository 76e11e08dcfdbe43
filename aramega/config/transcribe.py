"""Options of the transcribe stage."""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import Field, field_validator

from aramega.config.base import CHANGES_NOTHING, Options
from aramega.config.files import content_key


class TranscribeConfig(Options):
    """Drafting what was said, with Whisper."""

    model: str = Field(
        "",
        description="What hears: a Whisper name (large-v3-turbo, medium, tiny, …; by faster-whisper where it is installed, else by "
        "openai-whisper), a checkpoint file, a folder or Hub name of a Whisper as transformers or CTranslate2 saves it, "
        "endpoint:MODEL@URL for an OpenAI-compatible server, or `subtitles` for the ones beside the recordings. "
        "`openai-whisper:NAME` and `faster-whisper:NAME` choose the code. Empty: the build ends with passages.",
    )
    language: str = Field("ar", description="The language's code, or `auto` to let the model say, window by window.")
    prompt: str = Field("", description="Names and spellings the model should know, shown to it before every window.")
    pack: bool = Field(
        True,
        description="Hear consecutive segments of a passage in one window of up to 30 s, which is what a window costs "
        "however short its speech is. False: each segment by itself, at several times the cost.",
    )
    second_hearing: bool = Field(
        True,
        description="Hear segments once more, apart from the others, where the window they were packed into left them without a "
        "word.",
    )
    word_timestamps: bool = Field(
        False, description="Keep when each word was said, by the model's attention; a third slower."
    )
    at_hand: Literal["score", "prefer", "ignore"] = Field(
        "score",
        description="Subtitles beside a recording (.srt, .vtt, .json of the same name, or the manifest's column "
        "`transcript`): `score` the draft against them, `prefer` them to the model, or `ignore` them.",
    )
    temperatures: tuple[float, ...] = Field(
        (0.0, 0.4, 0.8),
        description="Tried in turn for a window whose text looks wrong by the three thresholds below; where all fail, "
        "the likeliest text stays. faster-whisper searches once more without repetitions in place of the second.",
    )
    beam: int = Field(
        0,
        ge=0,
        le=20,
        description="Texts followed side by side at temperature 0; 0 is 5 for faster-whisper, which hears better so at "
        "little cost, and 1 for openai-whisper, which is greedy here.",
    )
    max_compression_ratio: float = Field(
        2.4, gt=1, description="Text whose letters zlib shrinks more than this is a loop: try the next temperature."
    )
    min_logprob: float = Field(
        -1.0, le=0, description="A mean log-probability below this is a guess: try the next temperature."
    )
    max_no_speech: float = Field(
        0.6, gt=0, le=1, description="A guess where silence is at least this likely is silence: no other temperature."
    )
    max_tokens: int = Field(
        0, ge=0, description="At most this many tokens a window; 0 for the model's own limit (224)."
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        "auto",
        json_schema_extra=CHANGES_NOTHING,
        description="Where the model runs; auto takes a GPU where there is one.",
    )
    precision: Literal["auto", "fp32", "fp16", "int8"] = Field(
        "auto",
        json_schema_extra=CHANGES_NOTHING,
        description="auto is fp16 on a GPU, and on a CPU int8 for faster-whisper and fp32 for openai-whisper, which has no int8.",
    )
    batch: int = Field(
        0,
        ge=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Windows decoded together; 0 chooses 16 on a CPU, and what fits the memory of a GPU.",
    )
    threads: int = Field(
        0,
        ge=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Cores the model may use on a CPU; 0 for all of them, or as many as OMP_NUM_THREADS says.",
    )

    key_variable: str = Field(
        "OPENAI_API_KEY",
        json_schema_extra=CHANGES_NOTHING,
        description="The environment variable that holds an endpoint's key; servers of your own need none.",
    )
    timeout: float = Field(
        120.0,
        gt=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Seconds to wait for an endpoint's answer to one window.",
    )
    patience: float = Field(
        30.0,
        ge=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Seconds to wait, in all, before an endpoint that is busy or away is asked no more in this run.",
    )

    @field_validator("temperatures")
    @classmethod
    def _temperatures_rise(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if not values or list(values) != sorted(set(values)) or values[0] < 0:
            raise ValueError(f"temperatures must rise from 0 or more, for example [0.0, 0.4, 0.8]; they are {values}")
        return values

    def deciding(self) -> dict[str, Any]:
        """A checkpoint counts by what it holds: the same file elsewhere changes nothing, another one there does."""
        return {**super().deciding(), "model": self.model_key}

    @property
    def model_key(self) -> str:
        """What the model is known by: a file's or folder's content, or a name; of an endpoint the model, wherever it is. A
        folder without a model that happens to be called `demo` or `medium` leaves the name a name."""
        if self.model.startswith("endpoint:"):
            return self.model.partition("@http")[0]
        path = os.path.expanduser(self.model)
        holds_model = any(os.path.isfile(os.path.join(path, name)) for name in ("config.json", "model.bin"))
        is_name = ":" not in self.model and os.path.isdir(path) and not holds_model
        return self.model if is_name else content_key(self.model)
