"""[data]: which datasets, read how, for which tasks, under which label inventories."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recipes.data.marks import Marks
from recipes.sections import Section
from recipes.tasks.base import TaskOptions
from recipes.tasks.labels import DIALECTS, EMOTION_LEVELS, EMOTIONS, Inventory, Label, LabelLanguage

NAMED_INVENTORIES = {
    "regions": DIALECTS.regions(),
    "countries": DIALECTS.countries(),
    "emotions": EMOTIONS,
    "levels": EMOTION_LEVELS,
}


class DatasetConfig(Section):
    """One dataset: where it is, which adapter reads it, what it is used for."""

    path: str = Field(description="a folder, a file, or a dataset's name on the Hub")
    format: str = Field("published", description="the adapter that reads it (recipes/data/adapters.py)")
    configuration: str = Field("", description="the dataset's configuration, such as ssum, asr or a language code")
    revision: str = Field("", description="a branch, tag or commit of a Hub dataset")
    tasks: tuple[str, ...] = Field((), description="tasks to use it for; none: every task its columns allow")
    language: str = Field("ar", description="what is spoken; anything but ar is cross-lingual speech")
    answer_language: str = Field("", description="what summaries are written in; none: the language spoken")
    input: Literal["speech", "text"] = Field("speech", description="text: give the transcription in place of the audio")
    splits: dict[str, str] = Field({}, description="train, validation or test → this dataset's own name for it")
    shares: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="train, validation and test of a dataset that has no splits, by speaker"
    )
    split_seed: int = Field(0, description="seed of that split, and of the rows that limit draws")
    limit: int = Field(0, ge=0, description="at most so many rows of each split, drawn at random; 0: all")
    verified_only: bool = Field(False, description="only rows whose target a human verified")
    columns: dict[str, str] = Field({}, description="our column name → this dataset's, where they differ")
    labels: dict[str, str] = Field({}, description="this dataset's label → the inventory's")
    marks: Marks = Field(
        "clean",
        description="marks of annotators. clean: as words, rows with [؟] not for asr; leave_out: rows with any not for asr; keep: as is",
    )
    filename_pattern: str = Field("", description="file-names: regular expression with named groups for columns")

    @field_validator("shares")
    @classmethod
    def _whole(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(value) < 0 or abs(sum(value) - 1) > 1e-6:
            raise ValueError(f"shares must be three numbers from 0 that add up to 1, not {value}")
        return value


class DataConfig(Section):
    """[data]"""

    datasets: tuple[DatasetConfig, ...] = Field((), description="one [[data.datasets]] table each")
    tasks: tuple[str, ...] = Field(("asr", "ssum", "text_summ", "dialect", "emotion"), description="tasks of this run")
    min_seconds: float = Field(0.1, ge=0, description="clips shorter than this are left out, and counted")
    max_seconds: float = Field(
        120.0, gt=0, description="longest clip trained on: as long as our passages get; the model takes 300"
    )
    long_clips: Literal["skip", "cut", "error"] = Field(
        "skip",
        description="clips longer than max_seconds. skip: leave them out; cut: hear them up to there, and leave them out of asr",
    )
    max_target_chars: int = Field(4000, gt=0, description="longest target, in characters")
    generative_label: Literal["length", "source"] = Field(
        "length", description="what stands for a class when generative examples are balanced"
    )
    length_bands: tuple[float, ...] = Field(
        (5.0, 10.0, 20.0, 40.0, 80.0), description="edges in seconds of the length bands"
    )
    dialects: str | tuple[Label, ...] = Field("regions", description="regions, countries, or [[data.dialects]] tables")
    emotions: str | tuple[Label, ...] = Field("emotions", description="emotions, levels, or [[data.emotions]] tables")
    label_language: LabelLanguage = Field("en", description="how targets name a label: en, ar or code")
    profile: str = Field("asr", description="normalization that texts are compared under (aramega.text)")

    @field_validator("dialects", "emotions")
    @classmethod
    def _known_inventory(cls, value: str | tuple[Label, ...]) -> str | tuple[Label, ...]:
        if isinstance(value, str) and value not in NAMED_INVENTORIES:
            raise ValueError(
                f"no inventory is called {value!r}: use {', '.join(NAMED_INVENTORIES)}, or list the labels"
            )
        return value

    def task_options(self) -> TaskOptions:
        return TaskOptions(
            dialects=_inventory(self.dialects),
            emotions=_inventory(self.emotions),
            label_language=self.label_language,
            profile=self.profile,
        )


def _inventory(value: str | tuple[Label, ...]) -> Inventory:
    return NAMED_INVENTORIES[value] if isinstance(value, str) else Inventory(labels=value)
