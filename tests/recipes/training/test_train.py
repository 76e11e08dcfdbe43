"""Training: what a run leaves behind, and how it stops when it must."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch

from recipes import merge
from recipes.config import TrainConfig
from recipes.train import main
from recipes.training import losses as losses_of_training
from recipes.training.checkpoint import best_step, find_checkpoint, saved_steps
from recipes.training.log import installed_trackers, keep_until, read_log
from recipes.training.loop import next_stop
from recipes.training.rates import rate_share
from tests.recipes.toys import final_weights, losses, toy_config, toy_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_dataset(tmp_path_factory.mktemp("data") / "toy")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    assert main([str(toy_config(folder, dataset)), "--run", str(folder / "run")]) == 0
    return folder / "run"


def test_a_run_leaves_a_log_that_a_comparison_can_read(finished: Path) -> None:
    lines = read_log(finished / "log.jsonl")
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 9))
    assert {"phase", "loss", "task_loss", "grad_norm", "lr", "tokens", "seconds", "epoch"} <= set(steps[0])
    assert {line["phase"] for line in steps} >= {"asr", "ads"}
    evaluations = [line for line in lines if "eval" in line]
    assert [line["step"] for line in evaluations] == [4, 8]
    assert set(evaluations[0]["eval"]) == {"asr", "text_summ", "dialect"}
    assert {"loss", "wer"} <= set(evaluations[0]["eval"]["asr"])


def test_predictions_say_which_example_they_answer(finished: Path) -> None:
    lines = [json.loads(line) for line in (finished / "predictions" / "step-8.jsonl").read_text().splitlines()]
    assert len(lines) == 6
    assert {"task", "example", "answer", "reference", "label", "dialect", "seconds", "snr_db"} <= set(lines[0])
    earlier = [json.loads(line) for line in (finished / "predictions" / "step-4.jsonl").read_text().splitlines()]
    assert [line["example"] for line in lines] == [line["example"] for line in earlier]


def test_the_best_and_the_last_checkpoint_are_kept(finished: Path) -> None:
    best = best_step(finished)
    assert best in (4, 8)
    assert {best, 6, 8} == set(saved_steps(finished))
    assert find_checkpoint(finished, "last").name == "step-8"
    assert find_checkpoint(finished).name == f"step-{best}"
    assert not list((finished / "checkpoints").glob(".writing*"))


def test_a_dataset_for_training_only_trains(tmp_path: Path, dataset: Path, capsys) -> None:
    """No validation split: the run never looks at itself, a plateau never comes, and its last checkpoint is the best."""
    import datasets

    datasets.DatasetDict({"train": datasets.load_from_disk(str(dataset))["train"]}).save_to_disk(str(tmp_path / "only"))
    config = toy_config(tmp_path, tmp_path / "only")
    plateau = ["--set", "schedule.hybrid.switch=plateau", "--set", "schedule.hybrid.patience=1"]
    assert main([str(config), "--run", str(tmp_path / "run"), *plateau]) == 0
    printed = capsys.readouterr().out
    assert printed.count("only: has no validation split") == 1
    assert "never evaluated" in printed
    assert len(losses(tmp_path / "run")) == 8
    assert find_checkpoint(tmp_path / "run").name == "step-8"
    exported = ["--adapter", str(tmp_path / "adapter")]
    assert merge.main([str(tmp_path / "run"), *exported]) == 0


def test_training_lowers_the_loss(tmp_path: Path, dataset: Path) -> None:
    config = toy_config(tmp_path, dataset)
    overrides = [
        'train.method="full"', "train.learning_rate=1e-2", "schedule.steps=25", 'schedule.kind="uniform"',
        'data.tasks=["asr"]', "eval.every=25", "train.save_every=25", "train.gradient_checkpointing=false",
    ]  # fmt: skip
    arguments = [argument for override in overrides for argument in ("--set", override)]
    assert main([str(config), "--run", str(tmp_path / "run"), *arguments]) == 0
    curve = [loss for _, loss, _ in losses(tmp_path / "run")]
    assert sum(curve[-3:]) < 0.5 * sum(curve[:3])
    assert (tmp_path / "run" / "checkpoints" / "step-25" / "model" / "model.safetensors").is_file()


def test_a_folder_in_use_is_not_overwritten(finished: Path, dataset: Path, tmp_path: Path, capsys) -> None:
    assert main([str(toy_config(tmp_path, dataset)), "--run", str(finished)]) == 2
    assert "holds a run that reached step 8. Add --resume" in capsys.readouterr().err


def test_a_checkpoint_of_another_config_is_refused_key_by_key(
    finished: Path, dataset: Path, tmp_path: Path, capsys
) -> None:
    config = toy_config(tmp_path, dataset)
    assert main([str(config), "--run", str(finished), "--resume", "--set", "lora.rank=8"]) == 2
    error = capsys.readouterr().err
    assert "belongs to another config" in error
    assert "lora.rank: 4 there, 8 here" in error


def test_a_loss_that_is_no_number_stops_the_run_names_the_example_and_keeps_the_last_checkpoint(
    tmp_path: Path, capsys
) -> None:
    dataset = toy_dataset(tmp_path / "data", broken="train-7")
    overrides = ["--set", 'schedule.kind="uniform"', "--set", 'data.tasks=["asr"]', "--set", "train.save_every=1"]
    config = toy_config(tmp_path, dataset)
    assert main([str(config), "--run", str(tmp_path / "run"), *overrides]) == 2
    error = capsys.readouterr().err
    assert "Not finite: asr/data/train-7" in error
    run = tmp_path / "run"
    reached = len(losses(run))
    assert saved_steps(run)[-1:] == ([reached] if reached else [])
    assert all(torch.isfinite(weight).all() for weight in (final_weights(run) if reached else {}).values())
    report = json.loads(next(run.glob("bad-batch-*.json")).read_text())
    assert "asr/data/train-7" in report["examples"]


def test_a_full_gpu_is_answered_with_what_to_lower(tmp_path: Path, dataset: Path, capsys, monkeypatch) -> None:
    """A mock: there is no GPU here to fill."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(losses_of_training, "target_losses", full)
    config = toy_config(tmp_path, dataset, text="")
    assert main([str(config), "--run", str(tmp_path / "run"), "--set", "train.gradient_checkpointing=false"]) == 2
    error = capsys.readouterr().err
    assert "set train.gradient_checkpointing = true" in error
    assert "raise train.accumulation (now 1)" in error


def test_a_bfloat16_model_trains_float32_adapters_and_answers(tmp_path: Path, dataset: Path) -> None:
    """As on a GPU: frozen weights and arithmetic in bfloat16, adapters and their optimizer in float32."""
    halves = ["--set", 'model.dtype="bfloat16"', "--set", 'train.precision="bf16"', "--set", "lora.dropout=0.0"]
    assert main([str(toy_config(tmp_path, dataset)), "--run", str(tmp_path / "run"), *halves]) == 0
    assert {weight.dtype for weight in final_weights(tmp_path / "run").values()} == {torch.float32}
    curve = [loss for _, loss, _ in losses(tmp_path / "run")]
    assert curve[-1] < curve[0]


def test_the_learning_rate_rises_then_follows_half_a_cosine() -> None:
    config = TrainConfig(warmup_share=0.1, final_rate_share=0.1)
    shares = [rate_share(step, total=100, config=config) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == shares[9] == shares[10] == 1.0
    assert shares[55] == pytest.approx(0.55)
    assert all(a >= b for a, b in itertools.pairwise(shares[10:]))
    assert shares[-1] == pytest.approx(0.1, abs=0.01)


def test_a_stop_comes_at_every_multiple_and_at_the_end() -> None:
    stops, step = [], 0
    while step < 10:
        step = next_stop(step, total=10, every=(3, 4, 0))
        stops.append(step)
    assert stops == [3, 4, 6, 8, 9, 10]


def test_a_log_cut_short_by_a_crash_is_mended_on_resume(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0}\n{"step": 3, "lo')
    keep_until(path, 1)
    assert read_log(path) == [{"step": 1, "loss": 2.0}]


def test_a_tracker_that_is_not_installed_is_said_and_left_out(capsys) -> None:
    assert installed_trackers(["json", "no_such_tracker"]) == ["json"]
    assert "no_such_tracker is not installed" in capsys.readouterr().out


def test_tensorboard_gets_the_same_numbers_as_the_log(tmp_path: Path, dataset: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    overrides = ["--set", 'log.trackers=["tensorboard"]', "--set", 'schedule.kind="uniform"']
    run = tmp_path / "run"
    assert main([str(toy_config(tmp_path, dataset)), "--run", str(run), *overrides]) == 0
    folders = {path.parent for path in run.rglob("events.out.tfevents.*")}
    events = EventAccumulator(str(min(folders, key=lambda folder: len(folder.parts))))  # below it: the settings
    events.Reload()
    logged = [line["loss"] for line in read_log(run / "log.jsonl") if "loss" in line]
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(logged)
    assert "eval/asr/wer" in events.Tags()["scalars"]
