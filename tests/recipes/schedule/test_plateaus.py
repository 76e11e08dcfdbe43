"""Plateaus: a phase with a patience ends when validation of its own tasks stops getting better."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from recipes.schedule import Batch, Schedule, ScheduleConfig, build_schedule
from tests.recipes.schedule.test_schedule import EMBEDDINGS, TABLE, quick, schedule_of


@quick
@given(metrics=st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=28, max_size=28), stop=st.integers(1, 27))
def test_a_run_with_plateaus_resumes_exactly(metrics: list[float], stop: int) -> None:
    hybrid = {"switch": "plateau", "at": 0.7, "patience": 2}

    def run(schedule: Schedule, steps: range) -> list[Batch]:
        batches = []
        for step in steps:
            batches.append(next(schedule))
            schedule.observe(dict.fromkeys(TABLE.tasks, metrics[step]))
        return batches

    whole = run(schedule_of(kind="hybrid", steps=28, hybrid=hybrid), range(28))
    stopped = schedule_of(kind="hybrid", steps=28, hybrid=hybrid)
    run(stopped, range(stop))
    resumed = schedule_of(kind="hybrid", steps=28, hybrid=hybrid)
    resumed.load_state_dict(json.loads(json.dumps(stopped.state_dict())))
    assert run(resumed, range(stop, 28)) == whole[stop:]


def test_hybrid_switches_to_ads_when_validation_stops_getting_better() -> None:
    stages = [{"name": "foundation", "tasks": {"asr": 1}}]
    schedule = schedule_of(
        kind="hybrid",
        steps=100,
        tpc={"stages": stages},
        hybrid={"switch": "plateau", "at": 0.9, "patience": 2},
        min_gain=0.01,
    )
    phases = []
    for batch, metric in zip(schedule, [3.0, 2.0, 1.0, 0.995, 0.999, 0.5, 0.5, 0.5, 0.5], strict=False):
        phases.append(batch.phase)
        schedule.observe(dict.fromkeys(TABLE.tasks, metric))
    assert phases == ["foundation"] * 5 + ["ads"] * 4
    assert len(list(schedule)) == 100 - 10  # zip took one batch more; the steps that TPC left go to ADS


def test_without_a_plateau_hybrid_switches_at_the_latest_step() -> None:
    schedule = schedule_of(kind="hybrid", steps=20, hybrid={"switch": "plateau", "at": 0.5, "patience": 1})
    phases = []
    for batch in schedule:
        phases.append(batch.phase)
        schedule.observe(dict.fromkeys(TABLE.tasks, -float(batch.step)))
    assert phases.index("ads") == 10


def test_a_stage_stays_while_its_own_task_gets_better_whatever_is_forgotten_meanwhile() -> None:
    stages = [{"tasks": {"asr": 1}, "patience": 2}, {"tasks": {"dialect": 1}, "patience": 2}]
    schedule = schedule_of(kind="tpc", steps=40, tpc={"stages": stages})
    phases = []
    for batch in schedule:
        phases.append(batch.phase)
        schedule.observe({"asr": 9.0 - batch.step, "dialect": 1.0 + 2 * batch.step, "emotion": 5.0})
    assert phases == ["asr"] * 20 + ["dialect"] * 20


def test_a_stage_ends_when_its_own_task_is_at_rest_whatever_else_gets_better() -> None:
    stages = [{"tasks": {"asr": 1}}, {"tasks": {"dialect": 1}, "patience": 2, "replay": 0.5}, {"tasks": {"emotion": 1}}]
    schedule = schedule_of(kind="tpc", steps=30, tpc={"stages": stages})
    phases = []
    for batch in schedule:
        phases.append(batch.phase)
        schedule.observe({"asr": -float(batch.step), "dialect": 3.0, "emotion": -float(batch.step)})
    assert phases == ["asr"] * 10 + ["dialect"] * 2 + ["emotion"] * 18, "what a stage repeats is not its own"


def test_a_plateau_that_no_validation_can_show_is_never_seen() -> None:
    stages = [{"tasks": {"asr": 1}, "patience": 1}, {"tasks": {"dialect": 1}}]
    schedule = schedule_of(kind="tpc", steps=20, tpc={"stages": stages})
    assert schedule.unjudged_phases({"dialect", "emotion"}) == ["asr"]
    assert schedule.unjudged_phases({"asr"}) == []
    phases = []
    for batch in schedule:
        phases.append(batch.phase)
        schedule.observe({"dialect": 1.0})
    assert phases == ["asr"] * 10 + ["dialect"] * 10


def test_a_state_without_any_patience_is_read_as_it_always_was() -> None:
    """Its identity was written before a phase could say what judges it."""
    config = ScheduleConfig(kind="tpc", steps=30)
    assert build_schedule(config, TABLE, EMBEDDINGS, seed=0).state_dict()["identity"]["config"] == "1277f44a2d8e2b43"
