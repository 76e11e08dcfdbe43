"""Losses: a step lowers whatever function it is given, and by default the loss of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recipes.config import RecipeConfig, load_config, parse_config
from recipes.models.collate import Prompt
from recipes.models.load import LoadedModel
from recipes.models.lora import add_adapters
from recipes.train import train
from recipes.training.batches import MicroBatch
from recipes.training.losses import Loss, answer_loss
from recipes.training.rates import learning_rates, make_optimizer
from recipes.training.step import StepResult, take_step
from tests.recipes.toys import final_weights, losses, sound, toy_config, toy_dataset, toy_model

CONFIG = parse_config({"train": {"precision": "fp32"}, "lora": {"dropout": 0.0}}, source="test")


def step_with(*loss: Loss, config: RecipeConfig = CONFIG) -> tuple[StepResult, dict[str, torch.Tensor]]:
    """One step over an example of asr and one of dialect; what it says, and the weights after it."""
    torch.manual_seed(0)
    model = toy_model()
    optimizer = make_optimizer(
        add_adapters(model, config.lora), learning_rates(config.train, config.lora), config.train
    )
    prompts = [Prompt("Write it down.", "صفر", sound(0.5, seed=1)), Prompt("Which dialect?", "EGY", sound(0.5, seed=2))]
    micro = MicroBatch(model.encoder.examples(prompts), torch.tensor([0, 1]))
    named = {"loss": loss[0]} if loss else {}
    result = take_step(model, optimizer, [micro], tasks=("asr", "dialect"), config=config.train, **named)
    return result, {name: weight.detach().clone() for name, weight in model.thinker.named_parameters()}


def of_one_task(task: int) -> Loss:
    """The loss of the answers, for rows of this task alone."""

    def loss(loaded: LoadedModel, micro: MicroBatch) -> torch.Tensor:
        return answer_loss(loaded, micro) * (micro.tasks == task)

    return loss


def test_without_a_loss_named_it_is_the_loss_of_the_answers_to_the_last_bit() -> None:
    (default, weights), (named, others) = step_with(), step_with(answer_loss)
    assert default == named
    assert all(torch.equal(weight, others[name]) for name, weight in weights.items())


def test_a_loss_of_ones_own_is_what_the_step_lowers_and_reports() -> None:
    whole, _ = step_with()
    half, _ = step_with(lambda loaded, micro: 0.5 * answer_loss(loaded, micro))
    assert half.loss == pytest.approx(whole.loss / 2)
    assert half.grad_norm == pytest.approx(whole.grad_norm / 2, rel=1e-4)


def test_a_loss_sees_the_task_of_each_row() -> None:
    whole, _ = step_with()
    asr, _ = step_with(of_one_task(0))
    assert asr.task_loss == pytest.approx({"asr": whole.task_loss["asr"], "dialect": 0.0})


def test_a_whole_run_takes_a_loss(tmp_path: Path) -> None:
    path = toy_config(tmp_path, toy_dataset(tmp_path / "data"))
    config = load_config(path, ["schedule.kind=uniform", "schedule.steps=2", "eval.every=2"])
    train(config, tmp_path / "usual")
    train(config, tmp_path / "nothing", loss=lambda loaded, micro: 0 * answer_loss(loaded, micro))
    assert [loss for _, loss, _ in losses(tmp_path / "nothing")] == [0.0, 0.0]
    assert all(loss > 0 for _, loss, _ in losses(tmp_path / "usual"))
    still = [name for name, weight in final_weights(tmp_path / "nothing").items() if "lora_B" in name and weight.any()]
    assert not still, "adapters begin at zero, and nothing moved them"


SIX = "واحد اثنان ثلاثة أربعة خمسة ستة"


def two_tasks(currency, *, shares=None, split=False):
    """One step over a long transcript and two labels; what it says, and the weights after it."""
    config = parse_config({"train": {"precision": "fp32", "loss": currency}, "lora": {"dropout": 0.0}}, source="test")
    torch.manual_seed(0)
    model = toy_model()
    rates = learning_rates(config.train, config.lora)
    optimizer = make_optimizer(add_adapters(model, config.lora), rates, config.train)
    rows = [(0, Prompt("Write.", SIX, None)), (1, Prompt("Which?", "EGY", None)), (1, Prompt("Which?", "LEV", None))]
    parts = [rows[:1], rows[1:]] if split else [rows]
    micros = [
        MicroBatch(model.encoder.examples([p for _, p in part]), torch.tensor([task for task, _ in part]))
        for part in parts
    ]
    result = take_step(model, optimizer, micros, tasks=("asr", "dialect"), config=config.train, shares=shares)
    return result, {name: weight.detach().clone() for name, weight in model.thinker.named_parameters()}


def test_each_currency_gives_a_task_its_share_of_the_loss():
    by_token, by_example, by_task = (two_tasks(currency)[0] for currency in ("token", "example", "task"))
    assert by_token.loss_share["dialect"] < 1 / 2
    assert by_example.loss_share == pytest.approx({"asr": 1 / 3, "dialect": 2 / 3})
    assert by_task.loss_share == pytest.approx({"asr": 1 / 2, "dialect": 1 / 2})
    assert by_task.loss == pytest.approx(sum(by_task.task_loss.values()) / 2, rel=1e-5)
    replayed = two_tasks("task", shares={"asr": 0.1, "dialect": 0.9})[0]
    assert replayed.loss_share == pytest.approx({"asr": 0.1, "dialect": 0.9})


@pytest.mark.parametrize("currency", ["token", "example", "task"])
def test_how_a_batch_is_cut_changes_nothing_in_any_currency(currency):
    (whole, weights), (cut, others) = two_tasks(currency), two_tasks(currency, split=True)
    assert cut.loss == pytest.approx(whole.loss, rel=1e-5)
    assert cut.grad_norm == pytest.approx(whole.grad_norm, rel=1e-4)
    assert all(torch.allclose(weights[name], others[name], atol=1e-5) for name in weights)
