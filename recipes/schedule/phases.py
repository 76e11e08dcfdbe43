"""A schedule is a row of phases; a phase says what each batch is made of and how its rows are picked.

Every schedule here is a function from the config to phases, a few lines long, and that is all there is to
a new one: write the function, put it in SCHEDULES. What a phase then draws (`quotas.py`, `decks.py`,
`pick.py`) and how the trainer steps through it (`stream.py`) is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from recipes.errors import RecipeError
from recipes.schedule.config import ScheduleConfig, StageConfig
from recipes.schedule.modality import modality_spans
from recipes.schedule.table import ScheduleTable
from recipes.tasks.base import REGISTRY


@dataclass(frozen=True)
class Phase:
    """A stretch of the run with one recipe for its batches."""

    name: str
    tasks: Mapping[str, float]  # task → weight
    steps: int = 0  # 0: an equal part of what the other phases leave
    patience: int = 0  # validations without gain after which it ends early; 0: never
    judged_by: tuple[str, ...] = ()  # tasks whose validation that is; none: all of its tasks
    modalities: Mapping[str, float] | None = None  # modality → share; None: as the rows are
    labels: Literal["natural", "equal"] = "natural"  # inside a task
    picker: Literal["random", "clusters", "farthest", "repulsion"] = "random"
    coverage: float = 1.0  # share of its rows that a task shows in an epoch
    candidates: int = 1  # at most so many rows compete for a place
    max_visits: float = 1.0  # labels = equal: of a rare label's row, in an epoch of its task
    guarantee: int = 0  # passes in which every row is shown, where rows compete; 0: rows that lose may never be


PhaseMaker = Callable[[ScheduleConfig, ScheduleTable, int], list[Phase]]


def plan_phases(config: ScheduleConfig, table: ScheduleTable) -> list[Phase]:
    """The phases of the whole run, with their lengths, crossed with what is read and what is heard."""
    phases = allot_steps(SCHEDULES[config.kind](config, table, config.steps), config.steps)
    return cross_with_modalities(phases, modality_spans(config.modality, config.steps))


def uniform(config: ScheduleConfig, table: ScheduleTable, steps: int) -> list[Phase]:
    """All tasks mixed from the first step to the last."""
    return [Phase("uniform", task_weights(config, table), steps)]


def tpc(config: ScheduleConfig, table: ScheduleTable, steps: int) -> list[Phase]:
    """One stage after the other, each with some of what came before."""
    stages = config.tpc.stages or default_stages(config, table)
    phases, earlier = [], dict[str, float]()
    for stage in stages:
        tasks = with_replay(stage.tasks, earlier, stage.replay)
        own = tuple(stage.tasks)  # not what it repeats of earlier stages
        phases.append(Phase(stage.name or "+".join(stage.tasks), tasks, stage.steps, stage.patience, own))
        earlier = {**earlier, **stage.tasks}
    return allot_steps(phases, steps)


def balanced_labels(config: ScheduleConfig, table: ScheduleTable, steps: int) -> list[Phase]:
    """ADS without its distances: every batch balanced over tasks and labels, rows at random."""
    phase = Phase("balanced-labels", task_weights(config, table), steps, labels="equal")
    return [replace(phase, coverage=config.ads.coverage, max_visits=config.ads.max_visits)]


def ads(config: ScheduleConfig, table: ScheduleTable, steps: int) -> list[Phase]:
    """Every batch balanced over tasks and labels, of rows far from each other in aligner space."""
    chosen = config.ads
    phase = Phase("ads", task_weights(config, table), steps, labels="equal", picker=chosen.picker)
    return [
        replace(
            phase,
            coverage=chosen.coverage,
            candidates=chosen.candidates,
            max_visits=chosen.max_visits,
            guarantee=chosen.guarantee,
        )
    ]


def hybrid(config: ScheduleConfig, table: ScheduleTable, steps: int) -> list[Phase]:
    """TPC for a foundation, then ADS."""
    switch = config.hybrid
    foundation = tpc(config, table, max(1, round(switch.at * steps)))
    if switch.switch == "plateau":
        foundation[-1] = replace(foundation[-1], patience=switch.patience)
    return [*foundation, *ads(config, table, steps - sum(phase.steps for phase in foundation))]


SCHEDULES: dict[str, PhaseMaker] = {
    "uniform": uniform,
    "balanced-labels": balanced_labels,
    "tpc": tpc,
    "ads": ads,
    "hybrid": hybrid,
}


def task_weights(config: ScheduleConfig, table: ScheduleTable) -> dict[str, float]:
    """The configured weights, or one for each task that has rows."""
    if config.tasks:
        return dict(config.tasks)
    rows = {name: int((table.task == index).sum()) for index, name in enumerate(table.tasks)}
    by_rows = config.kind == "uniform" and config.mixing == "rows"
    return {name: float(count) if by_rows else 1.0 for name, count in rows.items() if count}


def default_stages(config: ScheduleConfig, table: ScheduleTable) -> list[StageConfig]:
    """First asr (acoustic grounding), then the other tasks that write, then those that choose a label."""
    present = task_weights(config, table)
    stages: dict[str, dict[str, float]] = {"asr": {}, "generation": {}, "discrimination": {}}
    for name, weight in present.items():
        generative = name in REGISTRY and REGISTRY[name].kind == "generative"
        stages["asr" if name == "asr" else "generation" if generative else "discrimination"][name] = weight
    return [
        StageConfig(name=name, tasks=tasks, replay=config.tpc.replay)
        for name, tasks in stages.items()
        if tasks  # a run without, say, any summaries simply has one stage fewer
    ]


def with_replay(tasks: Mapping[str, float], earlier: Mapping[str, float], replay: float) -> dict[str, float]:
    """The stage's weights, `replay` of the whole given to earlier tasks that it does not train itself."""
    total = sum(tasks.values())
    old = {name: weight for name, weight in earlier.items() if name not in tasks}
    if not old or not total:
        return dict(tasks)
    shares = {name: (1 - replay) * weight / total for name, weight in tasks.items()}
    return shares | {name: replay * weight / sum(old.values()) for name, weight in old.items() if replay}


def allot_steps(phases: Sequence[Phase], steps: int) -> list[Phase]:
    """Give phases of no stated length an equal part of what is left; together they fill `steps`."""
    stated = sum(phase.steps for phase in phases)
    open_phases = [i for i, phase in enumerate(phases) if not phase.steps]
    left = steps - stated
    if left < len(open_phases) or (left and not open_phases):
        stated_lengths = ", ".join(f"{phase.name} {phase.steps or 'the rest'}" for phase in phases)
        raise RecipeError(
            f"schedule: {steps} steps do not fit the stages ({stated_lengths}). "
            "Change schedule.steps or the stages' steps, or leave one stage's steps at 0 to take the rest."
        )
    lengths = [phase.steps for phase in phases]
    for order, i in enumerate(open_phases):
        lengths[i] = left * (order + 1) // len(open_phases) - left * order // len(open_phases)
    return [replace(phase, steps=length) for phase, length in zip(phases, lengths, strict=True)]


def cross_with_modalities(
    phases: Sequence[Phase], spans: Sequence[tuple[str, int, Mapping[str, float] | None]]
) -> list[Phase]:
    """Cut phases where the modality shares change, so that a modality plan goes with any schedule."""
    crossed, start = [], 0
    for phase in phases:
        for number, (name, begin, shares) in enumerate(spans):
            end = spans[number + 1][1] if number + 1 < len(spans) else start + phase.steps
            overlap = min(end, start + phase.steps) - max(begin, start)
            if overlap > 0:
                title = f"{phase.name}·{name}" if name else phase.name
                crossed.append(replace(phase, name=title, steps=overlap, modalities=shares))
        start += phase.steps
    return crossed
