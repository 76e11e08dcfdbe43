"""Resume: a run that was stopped anywhere goes on as if it never had been: same batches, losses and weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recipes import loop
from recipes.train import main
from tests.recipes.toys import final_weights, losses, toy_config, toy_dataset

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("fatal_step", [2, 5, 7])
def test_a_run_that_broke_off_goes_on_exactly(config: Path, whole: Path, monkeypatch, fatal_step: int) -> None:
    run = config.parent / f"broken-{fatal_step}"
    step, taken = loop.take_step, []

    def breaking(*arguments: object, **options: object) -> loop.StepResult:
        taken.append(1)
        if len(taken) > fatal_step:
            raise RuntimeError("power cut")
        return step(*arguments, **options)

    monkeypatch.setattr(loop, "take_step", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        main([str(config), "--run", str(run)])
    monkeypatch.undo()
    assert main([str(config), "--run", str(run), "--resume"]) == 0
    assert_same_run(run, whole)


KILLS = {
    "in the middle of a step": """
from recipes import loop
count, finish = [], loop.read_numbers
def last(*arguments):  # after the backward pass, before the update
    count.append(1)
    if len(count) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return finish(*arguments)
loop.read_numbers = last
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


def test_refreshed_embeddings_are_gone_on_with(config: Path, monkeypatch) -> None:
    """With refreshes the batches depend on the weights of the moment; a checkpoint keeps what they came from."""
    options = ["--set", "train.refresh_every=2", "--set", 'schedule.kind="ads"', "--set", "train.save_every=3"]
    assert main([str(config), "--run", str(config.parent / "fresh-whole"), *options]) == 0
    run = config.parent / "fresh-broken"
    step, taken = loop.take_step, []

    def breaking(*arguments: object, **more: object) -> loop.StepResult:
        taken.append(1)
        if len(taken) > 4:
            raise RuntimeError("power cut")
        return step(*arguments, **more)

    monkeypatch.setattr(loop, "take_step", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        main([str(config), "--run", str(run), *options])
    monkeypatch.undo()
    assert main([str(config), "--run", str(run), *options, "--resume"]) == 0
    assert_same_run(run, config.parent / "fresh-whole")


def test_a_run_killed_before_its_first_checkpoint_starts_over(config: Path, whole: Path) -> None:
    run = config.parent / "early"
    (run / "checkpoints" / ".writing-step-3").mkdir(parents=True)
    (run / "log.jsonl").write_text(json.dumps({"step": 1, "loss": 9.0}) + "\n")
    assert main([str(config), "--run", str(run), "--resume"]) == 0
    assert_same_run(run, whole)
