"""[schedule]: which data comes when.

`kind` says how the run is cut into phases and what each phase draws, `modality` how much of it is speech
or text: the two combine freely. Every key has a default, so `kind = "ads"` alone is a whole schedule.
`phases.py` turns these options into phases for a table.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recipes.sections import Section


class StageConfig(Section):
    """One stage of a curriculum."""

    name: str = Field("", description="name in the log; none: its tasks joined")
    tasks: dict[str, float] = Field(min_length=1, description="task → weight; only the ratios count")
    steps: int = Field(0, ge=0, description="length in steps; 0: an equal part of what the other stages leave")
    replay: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of each batch that repeats tasks of earlier stages; of the loss, with train.loss = task",
    )
    patience: int = Field(
        0, ge=0, description="end early after so many validations of its own tasks without gain; 0: never"
    )


class TpcConfig(Section):
    """Task-Progressive Curriculum."""

    stages: tuple[StageConfig, ...] = Field(
        (), description="none: asr, then the other generative tasks, then those that choose a label"
    )
    replay: float = Field(0.1, ge=0, lt=1, description="replay share of the default stages")


class AdsConfig(Section):
    """Aligner-Based Diverse Sampling."""

    picker: Literal["repulsion", "farthest", "clusters"] = Field(
        "repulsion",
        description="repulsion: least crowded by all rows of the batch; farthest: greedy farthest point; clusters: round-robin",
    )
    coverage: float = Field(
        0.5, gt=0, le=1, description="share of its rows that a task shows in an epoch; the others lost to rarer ones"
    )
    guarantee: int = Field(
        2,
        ge=0,
        description="every row is shown within so many passes (as many places as there are rows); 0: no guarantee",
    )
    candidates: int = Field(8, ge=1, le=64, description="at most so many rows compete for one place")
    clusters: int = Field(64, ge=2, le=4096, description="number of clusters, for picker = clusters")
    max_visits: float = Field(
        5.0, ge=1, description="a rare label's rows come at most so often while its task goes through its epoch"
    )


class HybridConfig(Section):
    """When TPC ends and ADS begins."""

    switch: Literal["steps", "plateau"] = Field("steps", description="steps: at `at`; plateau: there at the latest")
    at: float = Field(0.5, gt=0, lt=1, description="share of the run that is TPC")
    patience: int = Field(3, ge=1, description="validations without gain that count as a plateau")


class ModalityConfig(Section):
    """The shares of text and of speech."""

    mode: Literal["any", "text-only", "mix", "speech-last", "text-then-both"] = Field(
        "any",
        description="any: as the tasks bring it; mix: the shares below; speech-last: text, then speech; "
        "text-then-both: two thirds of the run text, then text and speech alike, as in arXiv 2509.15389",
    )
    speech: float = Field(0.03, ge=0, le=1, description="share of speech in the target language, for mode = mix")
    foreign: float = Field(0.0, ge=0, le=1, description="share of speech in another language, for mix and speech-last")
    speech_from: float = Field(0.7, gt=0, lt=1, description="speech-last: share of the run after which speech comes")
    text_replay: float = Field(0.0, ge=0, lt=1, description="speech-last: share of text that stays once speech comes")


class ScheduleConfig(Section):
    """[schedule]"""

    kind: Literal["uniform", "balanced-labels", "tpc", "ads", "hybrid"] = Field("uniform", description="which schedule")
    steps: int = Field(1000, ge=1, description="batches of the whole run, whatever the kind: schedules compare fairly")
    batch_size: int = Field(64, ge=1, description="examples of one optimizer step over all processes")
    token_budget: int = Field(0, ge=0, description="most tokens, padding included, of one forward pass; 0: no limit")
    max_padding: float = Field(
        0.15,
        ge=0,
        le=1,
        description="passes are added until padding is at most this; 1: only train.accumulation of each process",
    )
    mixing: Literal["equal", "rows"] = Field(
        "equal", description="uniform: every task alike, or by its rows, which is plain shuffling"
    )
    tasks: dict[str, float] = Field({}, description="uniform, ads: task → weight in place of `mixing`; none: all tasks")
    min_gain: float = Field(0.0, ge=0, description="a validation counts as better only by more than this")
    tpc: TpcConfig = TpcConfig()
    ads: AdsConfig = AdsConfig()
    hybrid: HybridConfig = HybridConfig()
    modality: ModalityConfig = ModalityConfig()
