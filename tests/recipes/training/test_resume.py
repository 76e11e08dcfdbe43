"""Resume: a run that was stopped anywhere goes on as if it never had been: same batches, losses and weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recipes.config import load_config
from recipes.errors import RecipeError
from recipes.train import main
from recipes.training import loop
from recipes.training.checkpoint import check_config, find_checkpoint
from recipes.training.step import StepResult
from tests.recipes.toys import final_weights, losses, toy_config, toy_dataset

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hybrid schedule, dropout and adapters on the audio tower: all that could remember something."""
    folder = tmp_path_factory.mktemp("resume")
    return toy_config(folder, toy_dataset(folder / "data"))


@pytest.fixture(scope="module")
def whole(config: Path) -> Path:
    assert main([str(config), "--run", str(config.parent / "whole")]) == 0
    return config.parent / "whole"


def assert_same_run(run: Path, whole: Path) -> None:
    assert losses(run) == losses(whole)
    expected = final_weights(whole)
    assert all(torch.equal(weight, expected[name]) for name, weight in final_weights(run).items())
    assert (run / "best").read_text() == (whole / "best").read_text()
    assert (run / "predictions" / "step-8.jsonl").read_text() == (whole / "predictions" / "step-8.jsonl").read_text()


def break_after(steps: int, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """A run that is cut short after so many steps."""
    step, taken = loop.take_step, []

    def breaking(*arguments: object, **options: object) -> StepResult:
        taken.append(1)
        if len(taken) > steps:
            raise RuntimeError("power cut")
        return step(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "take_step", breaking)
        with pytest.raises(RuntimeError, match="power cut"):
            main([*arguments])


@pytest.mark.parametrize("fatal_step", [2, 5, 7])
def test_a_run_that_broke_off_goes_on_exactly(config: Path, whole: Path, monkeypatch, fatal_step: int) -> None:
    run = config.parent / f"broken-{fatal_step}"
    break_after(fatal_step, monkeypatch, str(config), "--run", str(run))
    assert main([str(config), "--run", str(run), "--resume"]) == 0
    assert_same_run(run, whole)


KILLS = {
    "in the middle of a step": """
from recipes.training import step
count, finish = [], step.read_numbers
def last(*arguments):  # after the backward pass, before the update
    count.append(1)
    if len(count) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return finish(*arguments)
step.read_numbers = last
""",
    "while writing a checkpoint": """
import torch
count, write = [], torch.save
def cut_short(*arguments, **options):
    write(*arguments, **options)
    count.append(1)
    if len(count) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
torch.save = cut_short
""",
}


@pytest.mark.parametrize("moment", KILLS)
def test_a_run_killed_goes_on_exactly(config: Path, whole: Path, moment: str) -> None:
    run = config.parent / moment.replace(" ", "-")
    script = f"import os, signal, sys\n{KILLS[moment]}\nfrom recipes.train import main\nsys.exit(main(sys.argv[1:]))"
    killed = subprocess.run(
        [sys.executable, "-c", script, str(config), "--run", str(run)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(losses(run)) < 8
    assert main([str(config), "--run", str(run), "--resume"]) == 0
    assert_same_run(run, whole)


def test_a_run_goes_on_where_its_data_lies_elsewhere_and_memory_is_short(
    config: Path, whole: Path, tmp_path: Path, monkeypatch
) -> None:
    """Another machine: the dataset under another folder, other reading threads, no cache of embeddings."""
    run = tmp_path / "moved"
    break_after(5, monkeypatch, str(config), "--run", str(run))
    elsewhere = tmp_path / "mnt" / "data"
    shutil.copytree(config.parent / "data", elsewhere)
    here = toy_config(tmp_path, elsewhere)
    options = [f"train.embeddings={tmp_path / 'none'}", "train.loader_threads=1", "train.embedding_batch_seconds=10",
               "train.gradient_checkpointing=false", "eval.batch_size=3", "eval.confidence=0.9"]  # fmt: skip
    overrides = [argument for option in options for argument in ("--set", option)]
    assert main([str(here), "--run", str(run), "--resume", *overrides]) == 0
    assert [loss for _, loss, _ in losses(run)] == pytest.approx([loss for _, loss, _ in losses(whole)], rel=1e-5)
    assert not (tmp_path / "none").exists(), "what the run began with lies in its own folder"


@pytest.mark.parametrize(
    ("change", "decides"),
    [
        ("train.accumulation=4", False),
        ("schedule.token_budget=9000", False),
        ("schedule.max_padding=0.5", False),
        ("eval.max_new_tokens=9", False),
        ("eval.every=2", True),
        ("eval.examples_per_task=1", True),
        ("train.seed=1", True),
        ("schedule.steps=9", True),
        ("data.max_seconds=10", True),
    ],
)
def test_what_changes_nothing_is_free_and_what_decides_is_not(
    config: Path, whole: Path, change: str, decides: bool
) -> None:
    checkpoint, changed = find_checkpoint(whole, "last"), load_config(config, [change])
    if decides:
        with pytest.raises(RecipeError, match=rf"belongs to another config:\n  {change.partition('=')[0]}: "):
            check_config(checkpoint, changed)
    else:
        check_config(checkpoint, changed)


def test_a_dataset_of_another_name_is_another_dataset(config: Path, whole: Path, tmp_path: Path) -> None:
    other = load_config(toy_config(tmp_path, tmp_path / "other"))
    with pytest.raises(RecipeError, match=r"data\.datasets\.0\.path: .*/data' there, .*/other' here"):
        check_config(find_checkpoint(whole, "last"), other)


def test_refreshed_embeddings_are_gone_on_with(config: Path, monkeypatch) -> None:
    """With refreshes the batches depend on the weights of the moment; a checkpoint keeps what they came from."""
    options = ["--set", "train.refresh_every=2", "--set", 'schedule.kind="ads"', "--set", "train.save_every=3"]
    assert main([str(config), "--run", str(config.parent / "fresh-whole"), *options]) == 0
    run = config.parent / "fresh-broken"
    break_after(4, monkeypatch, str(config), "--run", str(run), *options)
    assert main([str(config), "--run", str(run), *options, "--resume"]) == 0
    assert_same_run(run, config.parent / "fresh-whole")


def test_a_run_killed_before_its_first_checkpoint_starts_over(config: Path, whole: Path) -> None:
    run = config.parent / "early"
    (run / "checkpoints" / ".writing-step-3").mkdir(parents=True)
    (run / "log.jsonl").write_text(json.dumps({"step": 1, "loss": 9.0}) + "\n")
    assert main([str(config), "--run", str(run), "--resume"]) == 0
    assert_same_run(run, whole)


def test_a_checkpoint_names_no_module_of_ours(whole: Path) -> None:
    """So that a checkpoint outlives a module's move: nothing in it is loaded by the path of a class."""
    files = [path for path in find_checkpoint(whole, "last").rglob("*") if path.is_file()]
    assert {"optimizer.pt", "config.toml", "progress.json"} <= {path.name for path in files}
    assert not [path.name for path in files if b"recipes." in path.read_bytes()]
