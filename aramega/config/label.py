"""Options of the label stage, and the inventories that annotators and the published dataset share with it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from aramega.config.base import CHANGES_NOTHING, Options
from aramega.config.files import content_key


class LabelConfig(Options):
    """Drafting dialect and emotion."""

    dialects: tuple[str, ...] = Field(
        ("MSA", "EGY", "LEV", "GLF", "NOR", "IRA", "SUD", "YEM", "MIX"),
        description="What a dialect may be; MIX is several at once. ADI-17's country codes (KSA, SYR, MOR, …) are finer and may stand beside "
        "or instead; a model's country that is not listed counts for its region.",
    )
    emotions: tuple[str, ...] = Field(
        ("neutral", "happy", "sad", "angry", "surprised", "fearful", "disgusted", "questioning"),
        description="What an emotion may be. KSUEmotions' questioning is among them: interviews are full of it.",
    )
    dialect_model: str = Field(
        "", description="A transformers audio-classification checkpoint (a folder); empty leaves it open."
    )
    emotion_model: str = Field("", description="As dialect_model, for emotion.")
    dialect_from_text: bool = Field(
        False,
        description="Where there is no dialect_model, ask camel-tools' dialect identification about the transcript. Its data "
        "is installed apart: camel_data -i dialectid-model6.",
    )
    names: tuple[str, ...] = Field(
        (),
        description='What a model calls a label, where it is none of the usual names: ["label_0=MSA", "lahja masriyya=EGY"].',
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field(
        "auto",
        json_schema_extra=CHANGES_NOTHING,
        description="Where the models run; auto takes a GPU where there is one.",
    )

    @field_validator("dialects", "emotions")
    @classmethod
    def _labels_differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values or len(set(values)) != len(values) or not all(v.strip() == v and v for v in values):
            raise ValueError(f"an inventory names each label once, and at least one; it is {list(values)}")
        return values

    @field_validator("names")
    @classmethod
    def _names_are_pairs(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not all(part.strip() for part in value.partition("=")):
                raise ValueError(f"names are pairs such as label_0=MSA; {value!r} is none")
        return values

    def deciding(self) -> dict[str, Any]:
        models = {name: content_key(getattr(self, name)) for name in ("dialect_model", "emotion_model")}
        return {**super().deciding(), **models}
