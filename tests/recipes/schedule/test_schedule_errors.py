"""What a schedule cannot do is said before anything is trained, with what to change."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.errors import RecipeError
from recipes.schedule import ScheduleConfig, ScheduleTable, build_schedule
from recipes.schedule.synthetic import synthetic_embeddings, synthetic_table
from tests.recipes.schedule.test_schedule import EMBEDDINGS, TABLE, make_table, schedule_of


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"tasks": {"dialekt": 1}}, "no task 'dialekt' in the data. Did you mean 'dialect'?"),
        ({"tasks": {"asr": 0}}, "weight 0.0 of task 'asr' must be above 0"),
        (
            {"kind": "tpc", "tpc": {"stages": [{"tasks": {"emo": 1}}]}},
            "no task 'emo' in the data. Did you mean 'emotion'",
        ),
        ({"kind": "tpc", "steps": 2}, "2 steps do not fit the stages (asr the rest, generation the rest"),
        (
            {"kind": "tpc", "modality": {"mode": "text-only"}},
            "phase 'asr·text': none of asr has rows of modality 'text'",
        ),
        ({"token_budget": 100}, f"an example of {TABLE.tokens.max()} tokens does not fit a token budget of 100"),
        ({"modality": {"mode": "mix", "speech": 0.7, "foreign": 0.7}}, "more than the whole"),
    ],
)
def test_an_impossible_config_says_what_is_wrong(config: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError) as error:
        schedule_of(**config)
    assert message in str(error.value)


def test_a_stage_whose_task_has_no_rows_names_it() -> None:
    table = make_table([("asr", "x", "speech")] * 10)
    empty = ScheduleTable(table.task, ("asr", "ssum"), table.label, table.labels, table.tokens, table.modality)
    stages = [{"name": "first", "tasks": {"asr": 1}}, {"name": "second", "tasks": {"ssum": 1}}]
    with pytest.raises(RecipeError, match="phase 'second': task 'ssum' has no rows"):
        schedule_of(empty, kind="tpc", tpc={"stages": stages})


def test_ads_without_embeddings_says_how_to_make_them() -> None:
    with pytest.raises(RecipeError, match=r"needs embeddings. Make them with recipes/embed.py"):
        build_schedule(ScheduleConfig(kind="ads"), TABLE, None, seed=0)


def test_embeddings_of_other_data_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"shape \(2999, 16\) for 3000 examples"):
        build_schedule(ScheduleConfig(kind="ads"), TABLE, EMBEDDINGS[:-1], seed=0)


def test_a_broken_embedding_is_named() -> None:
    broken = EMBEDDINGS.astype(np.float32)
    heard = int(np.flatnonzero(TABLE.modality == 0)[7])
    broken[heard] = np.nan
    with pytest.raises(RecipeError, match=f"embedding of row {heard} has NaN"):
        build_schedule(ScheduleConfig(kind="ads"), TABLE, broken, seed=0)


@pytest.mark.parametrize(
    ("changed", "what"), [({"seed": 9}, "config"), ({"batch_size": 32}, "config"), ({"table": None}, "table")]
)
def test_a_state_of_another_run_is_refused(changed: dict[str, object], what: str) -> None:
    state = schedule_of(steps=10).state_dict()
    if what == "table":
        changed = {"table": synthetic_table(3000, seed=1)}
    with pytest.raises(RecipeError, match=f"made with another {what}"):
        schedule_of(**{"steps": 10, **changed}).load_state_dict(state)


def test_a_state_of_other_embeddings_is_refused() -> None:
    state = schedule_of(kind="ads", steps=10).state_dict()
    other = build_schedule(ScheduleConfig(kind="ads", steps=10), TABLE, synthetic_embeddings(TABLE, 16, seed=3), seed=0)
    with pytest.raises(RecipeError, match="made with another embeddings"):
        other.load_state_dict(state)


def test_a_nan_metric_is_refused() -> None:
    with pytest.raises(RecipeError, match="NaN"):
        schedule_of().observe({"asr": 1.0, "dialect": float("nan")})
