"""Several processes: two real ones under `accelerate launch`, on the CPU through gloo, train as one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.train import main
from tests.recipes.toys import final_weights, losses, toy_config, toy_dataset

ROOT = Path(__file__).parents[2]


def launch(*arguments: str, use_cpu: str = "true") -> subprocess.CompletedProcess[str]:
    """`accelerate launch` with two processes, which find each other through gloo."""
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": use_cpu}
    return subprocess.run(
        [*command, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    toy_config(folder, toy_dataset(folder / "data"))
    return folder


def test_two_processes_take_the_same_steps_as_one(folder: Path) -> None:
    """Text and speech mixed, adapters on the audio tower: a process may have no audio at all in a step.

    Without dropout, whose masks are each process's own.
    """
    same = ["--set", "lora.dropout=0.0", "--set", "schedule.steps=6", "--set", "eval.every=3"]
    done = launch("recipes.train", str(folder / "run.toml"), "--run", str(folder / "two"), *same)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "2 processes" in done.stdout
    assert main([str(folder / "run.toml"), "--run", str(folder / "one"), *same]) == 0
    two, one = losses(folder / "two"), losses(folder / "one")
    assert [step for step, _, _ in two] == [1, 2, 3, 4, 5, 6]
    assert [loss for _, loss, _ in two] == pytest.approx([loss for _, loss, _ in one], rel=1e-4)
    assert [norm for *_, norm in two] == pytest.approx([norm for *_, norm in one], rel=1e-2)
    expected = final_weights(folder / "one")
    assert all((weight - expected[name]).abs().max() < 1e-3 for name, weight in final_weights(folder / "two").items())
    assert (folder / "two" / "predictions" / "step-6.jsonl").read_text().count("\n") == 6
    shares = [len(np.load(shard)["keys"]) for shard in (folder / "two" / "embeddings").glob("shard-*.npz")]
    assert shares == [12, 12]  # each process embedded half of the clips


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU they do find each other")
def test_processes_that_do_not_find_each_other_are_stopped(folder: Path) -> None:
    done = launch("recipes.train", str(folder / "run.toml"), "--run", str(folder / "alone"), use_cpu="false")
    assert done.returncode != 0
    assert "launched as 2 processes, but accelerate sees 1" in done.stderr
    assert not (folder / "alone").exists()


def test_a_batch_in_pieces_takes_the_same_step_as_at_once(folder: Path) -> None:
    same = ["--set", "lora.dropout=0.0", "--set", "eval.every=8", "--set", 'schedule.kind="uniform"']
    for name, pieces in (("at-once", 1), ("in-pieces", 3)):
        arguments = [str(folder / "run.toml"), "--run", str(folder / name), *same]
        assert main([*arguments, "--set", f"train.accumulation={pieces}"]) == 0
    whole, pieces = losses(folder / "at-once"), losses(folder / "in-pieces")
    assert [loss for _, loss, _ in pieces] == pytest.approx([loss for _, loss, _ in whole], rel=1e-4)
