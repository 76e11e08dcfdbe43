"""Several processes: two real ones under `accelerate launch`, on the CPU through gloo, train as one does."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from recipes.train import main
from recipes.training import loop
from tests.recipes.toys import final_weights, losses, toy_config, toy_dataset

ROOT = Path(__file__).parents[3]


def launch(*arguments: str, use_cpu: str = "true", way: str = "--multi_gpu") -> subprocess.CompletedProcess[str]:
    """`accelerate launch` with two processes, which find each other through gloo; of a module, or of a script."""
    command = [sys.executable, "-m", "accelerate.commands.launch", way, "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    command += [] if arguments[0].endswith(".py") else ["-m"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": use_cpu, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    toy_config(folder, toy_dataset(folder / "data"))
    return folder


def test_two_processes_take_the_same_steps_as_one(folder: Path) -> None:
    """Text and speech mixed, adapters on the audio tower: a process may have no audio at all in a step.

    Both run the same two passes a step, and a pass has its dropout masks with it.
    """
    same = ["--set", "lora.dropout=0.1", "--set", "schedule.steps=6", "--set", "eval.every=3"]
    done = launch("recipes.train", str(folder / "run.toml"), "--run", str(folder / "two"), *same)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "2 processes" in done.stdout
    same += ["--set", "train.accumulation=2"]
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


def test_what_hears_is_left_alone_by_steps_that_only_read(folder: Path) -> None:
    """Three steps of speech, then three of text: with momentum and weight decay, on one process and on two."""
    stages = (
        "[[schedule.tpc.stages]]\ntasks = { asr = 1 }\n[[schedule.tpc.stages]]\ntasks = { text_summ = 1 }\nreplay = 0\n"
    )
    (folder / "staged.toml").write_text((folder / "run.toml").read_text(encoding="utf-8") + stages, encoding="utf-8")
    options = ['schedule.kind="tpc"', "schedule.steps=6", "train.weight_decay=0.1", "lora.dropout=0.0", "train.keep=9"]
    same = [argument for option in options for argument in ("--set", option)]
    done = launch("recipes.train", str(folder / "staged.toml"), "--run", str(folder / "staged-two"), *same)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert main([str(folder / "staged.toml"), "--run", str(folder / "staged-one"), *same]) == 0
    for run in (folder / "staged-one", folder / "staged-two"):
        middle, end = (load_file(run / "checkpoints" / f"step-{n}/model/adapter_model.safetensors") for n in (3, 6))
        moved = {name: not torch.equal(weight, end[name]) for name, weight in middle.items()}
        assert not any(changed for name, changed in moved.items() if "audio_tower" in name)
        assert all(changed for name, changed in moved.items() if "audio_tower" not in name)
    one, two = final_weights(folder / "staged-one"), final_weights(folder / "staged-two")
    assert all((weight - one[name]).abs().max() < 1e-3 for name, weight in two.items())


STOPPING = """
import sys
from recipes.training import loop
from recipes.train import main
step, taken = loop.take_step, []
def breaking(*arguments, **options):
    taken.append(1)
    if len(taken) > 4:
        raise RuntimeError("power cut")
    return step(*arguments, **options)
loop.take_step = breaking
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_goes_on_with_another_number_of_processes(folder: Path, tmp_path: Path, monkeypatch) -> None:
    """One process of two passes a step or two of one: dropout, a hybrid schedule and all."""
    script = tmp_path / "stopping.py"
    script.write_text(STOPPING, encoding="utf-8")
    config = str(folder / "run.toml")
    one, two = ["--set", "train.accumulation=2"], ["--set", "train.accumulation=1"]
    assert main([config, "--run", str(folder / "whole"), *one]) == 0

    monkeypatch.setattr(sys, "argv", [str(script), config, "--run", str(folder / "grown"), *one])
    monkeypatch.setattr(loop, "take_step", loop.take_step)  # put back after the script has replaced it
    with pytest.raises(RuntimeError, match="power cut"):
        runpy.run_path(str(script))
    monkeypatch.undo()
    grown = launch("recipes.train", config, "--run", str(folder / "grown"), "--resume", *two)
    assert grown.returncode == 0, grown.stdout[-2000:] + grown.stderr[-4000:]

    together = launch(str(script), config, "--run", str(folder / "shrunk"), *two)
    assert "power cut" in together.stderr
    assert main([config, "--run", str(folder / "shrunk"), "--resume", *one]) == 0

    expected, weights = losses(folder / "whole"), final_weights(folder / "whole")
    for run in (folder / "grown", folder / "shrunk"):
        assert [step for step, _, _ in losses(run)] == list(range(1, 9))
        assert [loss for _, loss, _ in losses(run)] == pytest.approx([loss for _, loss, _ in expected], rel=1e-4)
        assert all((weight - weights[name]).abs().max() < 1e-3 for name, weight in final_weights(run).items())


@pytest.mark.parametrize("way", ["--use_fsdp", "--use_deepspeed", "--use_megatron_lm"])
def test_sharded_training_is_refused_in_one_line(way: str, folder: Path, monkeypatch, capsys) -> None:
    """What `accelerate launch` sets for it; DeepSpeed itself is not installed here."""
    monkeypatch.setenv("ACCELERATE_" + way.removeprefix("--").upper(), "true")
    assert main([str(folder / "run.toml"), "--run", str(folder / "sharded")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the recipes train with plain processes only, each with the whole model" in line
    assert not (folder / "sharded").exists()


def test_sharding_as_launched_is_refused_by_every_process(folder: Path) -> None:
    done = launch("recipes.train", str(folder / "run.toml"), "--run", str(folder / "sharded"), way="--use_fsdp")
    assert done.returncode != 0
    assert "error: launched with FSDP" in done.stderr
    assert not (folder / "sharded").exists()


def test_processes_wait_for_the_one_that_measures_the_data(tmp_path: Path) -> None:
    script = tmp_path / "waiting.py"
    script.write_text(
        "import torch\nfrom recipes.training.parallel import open_accelerator\nopen_accelerator()\n"
        "group = torch.distributed.distributed_c10d._get_default_group()\n"
        "print(group._get_backend(torch.device('cpu')).options._timeout)",
        encoding="utf-8",
    )
    done = launch(str(script))
    assert done.stdout.count("2:00:00") == 2, done.stdout[-2000:] + done.stderr[-4000:]


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
