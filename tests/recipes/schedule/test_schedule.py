"""What every schedule promises: shares, no repetition, exact resume, the same batches for the same seed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipes.schedule import Batch, Schedule, ScheduleConfig, ScheduleTable, build_schedule
from recipes.schedule.phases import plan_phases
from recipes.schedule.pick import pick_by_repulsion, pick_farthest
from recipes.schedule.synthetic import synthetic_embeddings, synthetic_table
from recipes.tasks.asr import Recognition
from recipes.tasks.base import REGISTRY

TABLE = synthetic_table(3000)
EMBEDDINGS = synthetic_embeddings(TABLE, 16)
KINDS = ("uniform", "balanced-labels", "tpc", "ads", "hybrid")
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make_table(rows: list[tuple[str, str, str]]) -> ScheduleTable:
    """A table of (task, label, modality) rows, each ten tokens long."""
    tasks = tuple(dict.fromkeys(task for task, _, _ in rows))
    labels = tuple(dict.fromkeys(label for _, label, _ in rows))
    return ScheduleTable(
        task=np.array([tasks.index(task) for task, _, _ in rows], dtype=np.int16),
        tasks=tasks,
        label=np.array([labels.index(label) for _, label, _ in rows], dtype=np.int32),
        labels=labels,
        tokens=np.full(len(rows), 10, dtype=np.int32),
        modality=np.array([("speech", "text", "foreign").index(kind) for _, _, kind in rows], dtype=np.int8),
    )


def schedule_of(table: ScheduleTable = TABLE, seed: int = 0, **config: object) -> Schedule:
    embeddings = EMBEDDINGS if table is TABLE else synthetic_embeddings(table, 8)
    return build_schedule(ScheduleConfig.model_validate(config), table, embeddings, seed=seed)


def task_counts(batch: Batch, table: ScheduleTable = TABLE) -> dict[str, int]:
    return {table.tasks[task]: n for task, n in Counter(table.task[list(batch.indices)].tolist()).items()}


def task_names(table: ScheduleTable = TABLE) -> np.ndarray:
    return np.array(table.tasks)[table.task]


# What a batch is made of


@quick
@given(kind=st.sampled_from(KINDS), batch_size=st.integers(1, 100), seed=st.integers(0, 5))
def test_every_batch_has_its_size_and_the_run_its_steps(kind: str, batch_size: int, seed: int) -> None:
    batches = list(schedule_of(kind=kind, steps=8, batch_size=batch_size, seed=seed))
    assert [batch.step for batch in batches] == list(range(8))
    assert all(len(batch.indices) == batch_size for batch in batches)


@quick
@given(kind=st.sampled_from(["uniform", "ads"]), batch_size=st.integers(5, 90))
def test_tasks_share_each_batch_equally_to_within_one_place(kind: str, batch_size: int) -> None:
    total: Counter[str] = Counter()
    for batch in schedule_of(kind=kind, steps=12, batch_size=batch_size):
        counts = task_counts(batch)
        assert max(counts.values()) - min(counts.values()) <= 1
        total.update(counts)
    assert max(total.values()) - min(total.values()) <= 1


@quick
@given(picker=st.sampled_from(["repulsion", "farthest", "clusters"]), batch_size=st.integers(1, 120))
def test_ads_shares_each_task_equally_among_its_labels(picker: str, batch_size: int) -> None:
    schedule = schedule_of(
        kind="ads", steps=10, batch_size=batch_size, ads={"picker": picker, "max_visits": 1000, "coverage": 1}
    )
    present = {task: np.unique(TABLE.label[TABLE.task == task]) for task in range(len(TABLE.tasks))}
    for batch in schedule:
        rows = np.array(batch.indices)
        for task, labels in present.items():
            counts = Counter(TABLE.label[rows[TABLE.task[rows] == task]].tolist())
            per_label = [counts[label] for label in labels.tolist()]
            assert max(per_label) - min(per_label) <= 1


@quick
@given(
    weights=st.dictionaries(st.sampled_from(TABLE.tasks), st.floats(0.05, 20), min_size=1),
    batch_size=st.integers(1, 64),
)
def test_weights_are_kept_in_the_long_run_whatever_they_are(weights: dict[str, float], batch_size: int) -> None:
    steps = 40
    total: Counter[str] = Counter()
    for batch in schedule_of(tasks=weights, steps=steps, batch_size=batch_size):
        total.update(task_counts(batch))
    for task, weight in weights.items():
        expected = steps * batch_size * weight / sum(weights.values())
        assert abs(total[task] - expected) <= 1.01


def test_mixing_by_rows_is_plain_shuffling_shares() -> None:
    batches = list(schedule_of(mixing="rows", steps=20))
    drawn = sum((Counter(task_counts(batch)) for batch in batches), Counter())
    for task in TABLE.tasks:
        assert drawn[task] / (20 * 64) == pytest.approx((task_names() == task).mean(), abs=0.01)


# Repetition


@quick
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 20))
def test_no_row_comes_twice_before_its_share_has_been_gone_through(kind: str, seed: int) -> None:
    schedule = schedule_of(kind=kind, steps=60, seed=seed)
    seen: Counter[int] = Counter()
    for batch in schedule:
        seen.update(batch.indices)
        passes = max(schedule.deck_passes().values())
        # Under ads a row comes in its turn and as a candidate: in the middle of a pass of both, once more.
        assert max(seen.values()) <= np.ceil(passes) + (len(schedule.phases) - 1) + (kind in ("ads", "hybrid"))


def test_uniform_shows_every_row_once_in_a_pass_over_one_task() -> None:
    table = make_table([("asr", "x", "speech")] * 96)
    drawn = [i for batch in schedule_of(table, steps=6, batch_size=32) for i in batch.indices]
    assert sorted(drawn[:96]) == sorted(drawn[96:]) == list(range(96))
    assert drawn[:96] != drawn[96:]


@quick
@given(size=st.integers(2, 60), share=st.floats(0.05, 0.5), seed=st.integers(0, 1000))
def test_a_row_never_comes_back_within_half_a_pass(size: int, share: float, seed: int) -> None:
    table = make_table([("asr", "x", "speech")] * size)
    batch_size = max(1, int(size * share))
    drawn = [i for batch in schedule_of(table, seed, steps=20, batch_size=batch_size) for i in batch.indices]
    last: dict[int, int] = {}
    for position, row in enumerate(drawn):
        assert position - last.get(row, -size) > size // 2 - 1
        last[row] = position


@quick
@given(rare=st.integers(1, 20), max_visits=st.floats(1, 6), coverage=st.floats(0.2, 1))
def test_rare_labels_are_revisited_at_a_bounded_rate(rare: int, max_visits: float, coverage: float) -> None:
    table = make_table([("emotion", "neutral", "speech")] * 200 + [("emotion", "angry", "speech")] * rare)
    epoch = int(coverage * len(table))
    schedule = schedule_of(
        table,
        kind="ads",
        steps=epoch * 3,
        batch_size=1,
        ads={"max_visits": max_visits, "coverage": coverage, "candidates": 4},
    )
    visits = Counter(i for batch in schedule for i in batch.indices)
    # Two more: an epoch can begin in the middle of a pass over the label, of candidates and of rows in their turn.
    assert max(visits[row] for row in range(200, 200 + rare)) <= 3 * max_visits + 2


def test_a_label_that_is_held_back_is_said() -> None:
    table = make_table([("emotion", "neutral", "speech")] * 990 + [("emotion", "angry", "speech")] * 10)
    notes = schedule_of(table, kind="ads", ads={"coverage": 1.0}).notes
    assert any("any/emotion/angry gets 5.0% of its task, not 50.0%" in note for note in notes)


# The same batches


@quick
@given(
    kind=st.sampled_from(KINDS), picker=st.sampled_from(["repulsion", "farthest", "clusters"]), stop=st.integers(0, 29)
)
def test_a_run_resumes_exactly_from_any_step(kind: str, picker: str, stop: int) -> None:
    settings_ = {"kind": kind, "steps": 30, "ads": {"picker": picker}, "modality": {"mode": "any"}}
    whole = list(schedule_of(**settings_))
    stopped = schedule_of(**settings_)
    for _ in range(stop):
        next(stopped)
    state = json.loads(json.dumps(stopped.state_dict()))
    resumed = schedule_of(**settings_)
    next(resumed)  # whatever it did before is forgotten
    resumed.load_state_dict(state)
    assert list(resumed) == whole[stop:]
    assert list(stopped) == whole[stop:]


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides_the_batches(kind: str) -> None:
    first, same, other = (list(schedule_of(kind=kind, steps=10, seed=seed)) for seed in (1, 1, 2))
    assert first == same
    assert first != other


def test_refreshed_embeddings_change_what_is_picked_from_the_next_batch_on() -> None:
    kept, refreshed = schedule_of(kind="ads", steps=10), schedule_of(kind="ads", steps=10)
    assert [next(kept) for _ in range(4)] == [next(refreshed) for _ in range(4)]
    new = synthetic_embeddings(TABLE, 16, seed=5)
    refreshed.replace_embeddings(new)
    state = refreshed.state_dict()
    assert next(kept) != (after := next(refreshed))
    resumed = build_schedule(ScheduleConfig(kind="ads", steps=10), TABLE, new, seed=0)
    resumed.load_state_dict(state)
    assert next(resumed) == after


# Phases


def test_tpc_goes_from_asr_to_other_writing_to_labels() -> None:
    schedule = schedule_of(kind="tpc", steps=30, tpc={"replay": 0.0})
    tasks = {batch.phase: set(task_counts(batch)) for batch in schedule}
    assert list(tasks) == ["asr", "generation", "discrimination"]
    assert list(tasks.values()) == [{"asr"}, {"ssum", "text_summ"}, {"dialect", "emotion"}]


def test_a_task_of_ones_own_goes_to_the_stage_of_its_kind_whatever_its_name(monkeypatch) -> None:
    own = {"translation": "generative", "sum_of_digits": "discriminative"}
    for name, kind in own.items():
        monkeypatch.setitem(REGISTRY, name, type(name, (Recognition,), {"name": name, "kind": kind}))
    table = make_table([(task, "x", "speech") for task in ("asr", "ssum", "dialect", *own) for _ in range(20)])
    phases = plan_phases(ScheduleConfig(kind="tpc", steps=30, tpc={"replay": 0.0}), table)
    assert [(phase.name, set(phase.tasks)) for phase in phases] == [
        ("asr", {"asr"}), ("generation", {"ssum", "translation"}), ("discrimination", {"dialect", "sum_of_digits"}),
    ]  # fmt: skip


@quick
@given(replay=st.floats(0, 0.6))
def test_replay_is_the_stated_share_of_earlier_tasks(replay: float) -> None:
    stages = [
        {"tasks": {"asr": 1}, "steps": 10, "replay": replay},
        {"tasks": {"dialect": 2, "emotion": 1}, "replay": replay},
    ]
    last = [task_counts(b) for b in schedule_of(kind="tpc", steps=60, tpc={"stages": stages}) if b.step >= 10]
    drawn = {task: sum(counts.get(task, 0) for counts in last) / (50 * 64) for task in TABLE.tasks}
    assert drawn["asr"] == pytest.approx(replay, abs=0.002)
    assert drawn["dialect"] == pytest.approx(2 * drawn["emotion"], abs=0.002)


def test_stages_without_a_length_share_what_is_left() -> None:
    stages = [{"tasks": {"asr": 1}, "steps": 10}, {"tasks": {"ssum": 1}}, {"tasks": {"emotion": 1}}]
    schedule = schedule_of(kind="tpc", steps=31, tpc={"stages": stages})
    assert [phase.steps for phase in schedule.phases] == [10, 10, 11]


def test_hybrid_switches_to_ads_at_the_stated_share_of_the_run() -> None:
    batches = list(schedule_of(kind="hybrid", steps=40, hybrid={"at": 0.75}))
    assert [batch.phase for batch in batches].index("ads") == 30


# Modalities


def mixed_table() -> ScheduleTable:
    kinds = ["text"] * 700 + ["speech"] * 200 + ["foreign"] * 100
    return make_table([("dialect", f"d{i % 3}", kind) for i, kind in enumerate(kinds)])


def modality_shares(table: ScheduleTable, batches: list[Batch]) -> list[float]:
    rows = [i for batch in batches for i in batch.indices]
    return [round(float((table.modality[rows] == kind).mean()), 3) for kind in range(3)]


@pytest.mark.parametrize("kind", ["uniform", "ads"])
def test_text_only_reads_and_never_listens(kind: str) -> None:
    table = mixed_table()
    batches = list(schedule_of(table, kind=kind, steps=20, modality={"mode": "text-only"}))
    assert modality_shares(table, batches) == [0, 1, 0]


@quick
@given(kind=st.sampled_from(["uniform", "ads"]), speech=st.floats(0.02, 0.05), foreign=st.floats(0, 0.4))
def test_direct_mixing_keeps_its_shares_of_speech(kind: str, speech: float, foreign: float) -> None:
    table = mixed_table()
    modality = {"mode": "mix", "speech": speech, "foreign": foreign}
    batches = list(schedule_of(table, kind=kind, steps=50, modality=modality))
    expected = [speech, 1 - speech - foreign, foreign]
    assert modality_shares(table, batches) == pytest.approx(expected, abs=0.002)


def test_speech_last_reads_first_and_listens_after() -> None:
    table = mixed_table()
    modality = {"mode": "speech-last", "speech_from": 0.6, "text_replay": 0.25}
    batches = list(schedule_of(table, steps=50, modality=modality))
    assert [batch.phase for batch in batches] == ["uniform·text"] * 30 + ["uniform·speech"] * 20
    assert modality_shares(table, batches[:30]) == [0, 1, 0]
    assert modality_shares(table, batches[30:]) == [0.75, 0.25, 0]


def test_across_languages_foreign_speech_comes_with_the_text() -> None:
    table = mixed_table()
    batches = list(schedule_of(table, steps=50, modality={"mode": "speech-last", "foreign": 0.25}))
    assert modality_shares(table, batches[:35]) == [0, 0.75, 0.25]
    assert modality_shares(table, batches[35:]) == [1, 0, 0]


def test_a_modality_plan_cuts_the_stages_of_any_schedule() -> None:
    rows = [(task, "x", kind) for task in ("asr", "dialect") for kind in ("text", "speech")] * 50
    schedule = schedule_of(
        make_table(rows), kind="tpc", steps=40, modality={"mode": "speech-last", "speech_from": 0.25}
    )
    names = [(phase.name, phase.steps) for phase in schedule.phases]
    assert names == [("asr·text", 10), ("asr·speech", 10), ("discrimination·speech", 20)]


# Diversity


@pytest.mark.parametrize("picker", ["repulsion", "farthest", "clusters"])
def test_ads_shows_every_row_within_two_passes_and_keeps_its_balance(picker: str) -> None:
    rows, size = 600, 20
    table = replace(synthetic_table(rows), task=np.zeros(rows, dtype=np.int16), label=np.zeros(rows, dtype=np.int32))
    table = replace(table, modality=np.zeros(rows, dtype=np.int8), label=np.arange(rows, dtype=np.int32) % 2)
    embeddings = synthetic_embeddings(table, 16)

    def batches(guarantee: int) -> list[Batch]:
        settings_ = {"kind": "ads", "steps": 2 * rows // size, "batch_size": size}
        ads = {"picker": picker, "guarantee": guarantee}
        return list(build_schedule(ScheduleConfig(**settings_, ads=ads), table, embeddings, seed=0))

    shown = [row for batch in batches(2) for row in batch.indices]
    assert set(shown) == set(range(rows))
    assert all(len(set(batch.indices)) == size for batch in batches(2))
    assert all(sum(table.label[list(batch.indices)]) == size / 2 for batch in batches(2))
    assert len({row for batch in batches(0) for row in batch.indices}) < rows


def test_the_farthest_point_looks_at_the_nearest_row_alone_and_repulsion_at_all() -> None:
    """Of a row beside one of those taken, and a row that is rather near to each of many, each takes another."""
    taken = np.array([[0.0, 0.0]] * 1 + [[8.0, 0.0]] * 6)
    offered = np.array([[3.5, 0.0], [-3.0, 0.0]])
    vectors = np.concatenate([taken, offered])
    cell, places = np.array([0] * 7 + [1] * 2), np.array([7, 1])
    assert set(pick_farthest(vectors, cell, places)) - set(range(7)) == {7}
    assert set(pick_by_repulsion(vectors, cell, places)) - set(range(7)) == {8}


def test_ads_batches_are_more_spread_than_uniform_ones() -> None:
    from recipes.schedule.measure import diversity

    table = synthetic_table(20_000)
    embeddings = synthetic_embeddings(table, 32)

    def spread(**config: object) -> float:
        schedule = build_schedule(ScheduleConfig.model_validate({"steps": 60, **config}), table, embeddings, seed=0)
        return float(np.mean([diversity(batch, table, embeddings) for batch in schedule]))

    uniform = spread(kind="uniform")
    assert spread(kind="ads") / uniform >= 1.12
    assert spread(kind="ads", ads={"guarantee": 0}) / uniform >= 1.2
    assert spread(kind="ads", ads={"picker": "clusters", "guarantee": 0}) / uniform >= 1.15
