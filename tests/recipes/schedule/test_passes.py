"""Forward passes: the planner shows the cuts that training makes, within the limits of one config."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st

from recipes.config import load_config
from recipes.data.load import load_examples
from recipes.embed import main as embed
from recipes.models.load import load_model
from recipes.schedule import Batch, ScheduleConfig, ScheduleTable, build_schedule, microbatches, padding_share
from recipes.schedule.__main__ import main as plan
from recipes.training.feed import batch_preparer
from recipes.training.validate import token_counter
from tests.recipes.toys import toy_config, toy_dataset


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("passes")
    return toy_config(folder, toy_dataset(folder / "data"))


def planned_passes(capsys: pytest.CaptureFixture[str], *arguments: str) -> float:
    """Passes of a step as the planner prints them."""
    assert plan([*arguments]) == 0
    printed = re.search(r"([\d.]+) passes a step", capsys.readouterr().out)
    assert printed
    return float(printed[1])


def table_of_lengths(lengths: list[int]) -> ScheduleTable:
    column = np.zeros(len(lengths), dtype=np.int32)
    return ScheduleTable(
        task=column, tasks=("asr",), label=column, labels=("x",), tokens=np.array(lengths, np.int32), modality=column
    )


@pytest.mark.parametrize(("max_padding", "accumulation"), [(0.02, 1), (1.0, 1), (1.0, 3)])
def test_training_runs_the_passes_that_the_planner_shows(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], max_padding: float, accumulation: int
) -> None:
    settings = [f"schedule.max_padding={max_padding}", f"train.accumulation={accumulation}", 'schedule.kind="uniform"']
    config = load_config(config_file, settings)
    model = load_model(config.model)
    examples = load_examples(config.data, "train")
    table = examples.schedule_table(token_counter(model.encoder, examples.tasks))
    prepare = batch_preparer(model, examples, table, config, accelerator=Accelerator(cpu=True))
    batches = list(build_schedule(config.schedule, table, seed=config.train.seed))
    trained = [[len(micro.inputs.rows) for micro in prepare(batch)] for batch in batches]
    cuts = [microbatches(batch, table, config.schedule, world_size=1, accumulation=accumulation) for batch in batches]
    assert trained == [[len(run) for run in process] for (process,) in cuts]
    assert all(padding_share(cut, table) <= max_padding for cut in cuts)

    table.save(tmp_path / "table.npz")
    overrides = [argument for setting in settings for argument in ("--set", setting)]
    shown = planned_passes(capsys, str(config_file), "--table", str(tmp_path / "table.npz"), *overrides)
    assert shown == pytest.approx(np.mean([len(sizes) for sizes in trained]), abs=0.05)
    assert shown == accumulation if max_padding == 1 else shown > 2


def test_the_planner_draws_the_batches_of_the_configs_seed(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for seed in (0, 0, 7):
        assert plan([str(config_file), "--set", 'schedule.kind="uniform"', "--set", f"train.seed={seed}"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_the_planner_reads_what_embed_wrote(config_file: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "embeddings"
    assert embed([str(config_file), "--into", str(folder)]) == 0
    data = ["--table", str(folder / "table.npz"), "--embeddings", str(folder / "embeddings.npy")]
    assert plan([str(config_file), *data]) == 0
    printed = capsys.readouterr().out
    assert "72 rows" in printed
    assert "× uniform" in printed


@given(
    lengths=st.lists(st.integers(1, 900), min_size=8, max_size=40),
    max_padding=st.floats(0, 1),
    processes=st.sampled_from([1, 2, 4]),
)
def test_no_more_than_the_allowed_padding_while_passes_can_be_added(
    lengths: list[int], max_padding: float, processes: int
) -> None:
    table = table_of_lengths(lengths)
    batch = Batch(0, "x", tuple(range(len(lengths))))
    config = ScheduleConfig(max_padding=max_padding)
    cut = microbatches(batch, table, config, world_size=processes, accumulation=8 // processes)
    passes = [run for process in cut for run in process]
    assert sorted(index for run in passes for index in run) == list(batch.indices)
    assert padding_share(cut, table) <= max_padding or len(passes) + 8 > len(lengths)
    others = microbatches(batch, table, config, world_size=1, accumulation=8)
    assert sorted(passes) == sorted(others[0]), "the cuts do not depend on who runs them"
