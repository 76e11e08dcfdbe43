"""Options of `aramega publish`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from aramega.config.base import Options

DEFAULT_CONFIGURATIONS = ("ssum", "asr", "dialect", "emotion", "text_summ")
CONFIGURATIONS = (*DEFAULT_CONFIGURATIONS, "raw")

Verification = Literal["none", "any", "text", "all"]


class PublishConfig(Options):
    """Publishing: what goes into the dataset, how it is split, and what its card says that no data can tell."""

    configurations: tuple[str, ...] = Field(
        DEFAULT_CONFIGURATIONS,
        description="What load_dataset can be asked for. asr is the slow one: its audio is cut and encoded anew. raw "
        "(drafts, and each annotator's reviews under a pseudonym) is published only where it is named here.",
    )
    where: str = Field("", description="Only passages for which this SQL expression is true, for example snr_db > 10.")
    min_verification: Verification = Field(
        "none",
        description="What a person must have confirmed of a row: none; any field; text (transcript and summary); all.",
    )
    test_verified_only: bool = Field(
        True,
        description="Test and validation hold only rows whose transcript and summary a person confirmed: machines "
        "should not be graded by machines.",
    )
    min_seconds: float = Field(0.0, ge=0, description="Shorter passages are left out, in seconds.")
    max_seconds: float = Field(0.0, ge=0, description="Longer passages are left out, in seconds; 0: no limit.")
    licences: tuple[str, ...] = Field(
        (), description='Only recordings under one of these licences, for example ["cc-by-4.0"]; none named: any.'
    )
    validation_share: float = Field(0.1, ge=0, lt=0.5, description="Share of the hours that go to validation.")
    test_share: float = Field(0.1, ge=0, lt=0.5, description="Share of the hours that go to test.")
    leaks: Literal["fail", "drop"] = Field(
        "fail",
        description="What to do about rows that say in one split what another split says too: fail, or drop the row of "
        "the less precious split (train, then validation).",
    )
    near_duplicate: float = Field(
        0.8, gt=0, le=1, description="Transcripts that share this much of their three-word runs say the same."
    )
    shard_mb: int = Field(500, ge=1, description="Megabytes in a file: what the Hub and resuming like.")
    row_group_mb: int = Field(
        32, ge=1, le=512, description="Megabytes in a row group: what a reader must fetch for its first row."
    )
    title: str = Field("", description="The dataset's name for people; none: the repository's or folder's.")
    description: str = Field("", description="What the recordings are, in a paragraph for the card.")
    licence: str = Field("", description="The licence of the whole; none: what the recordings' own allow.")
    contact: str = Field("", description="Whom to write to, also to have a recording withdrawn.")
    consent: str = Field("", description="How those who are heard agreed, or why none was needed.")
    annotators: str = Field("", description="Who the annotators are, how they were trained and paid.")
    limits: str = Field("", description="What you know is missing, wrong or one-sided.")
    citation: str = Field("", description="BibTeX of this dataset.")

    @model_validator(mode="after")
    def _checks(self) -> Self:
        unknown = [name for name in self.configurations if name not in CONFIGURATIONS]
        if unknown:
            raise ValueError(f"no configuration is called {unknown[0]!r}; there are: {', '.join(CONFIGURATIONS)}")
        views = [name for name in ("dialect", "emotion") if name in self.configurations]
        if views and "ssum" not in self.configurations:
            raise ValueError(f"{views[0]} is a view of ssum's files, so it needs ssum among the configurations")
        if self.max_seconds and self.min_seconds > self.max_seconds:
            raise ValueError(f"min_seconds ({self.min_seconds:g}) is greater than max_seconds ({self.max_seconds:g})")
        return self
