"""Export: what is written loads back and answers as the model did in training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recipes import merge
from recipes.merge import main
from recipes.models.config import ModelConfig
from recipes.models.export import Comparison
from recipes.models.load import load_model
from recipes.models.lora import load_adapter
from recipes.train import main as train
from tests.recipes.toys import TOY, toy_config, toy_dataset, toy_model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("merge")
    config = toy_config(folder, toy_dataset(folder / "data"))
    assert train([str(config), "--run", str(folder / "run"), "--set", 'schedule.kind="uniform"']) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    folder = run.parent / "out"
    arguments = ["--adapter", str(folder / "adapter"), "--merged", str(folder / "merged"), "--examples", "2"]
    assert main([str(run), *arguments]) == 0
    return folder


def test_the_adapter_and_the_merged_model_are_the_same_model(exported: Path) -> None:
    adapted = load_model(ModelConfig(path="tiny", dtype="float32", tiny=TOY))
    load_adapter(adapted, exported / "adapter")
    merged = load_model(ModelConfig(path=str(exported / "merged"), dtype="float32"))
    ids = torch.arange(1, 30)[None]
    with torch.no_grad():
        expected = adapted.model(input_ids=ids).logits
        assert torch.allclose(merged.model(input_ids=ids).logits, expected, atol=1e-4)
        untrained = toy_model().model(input_ids=ids).logits
    assert not torch.allclose(untrained, expected, atol=1e-2)


def test_the_comparison_is_printed(run: Path, capsys) -> None:
    assert main([str(run), "--adapter", str(run.parent / "again"), "--checkpoint", "last", "--examples", "1"]) == 0
    assert "3 of 3 answers the same as in training, loss moved by +0.00000" in capsys.readouterr().out


def test_the_card_tells_what_happened(exported: Path) -> None:
    card = (exported / "adapter" / "README.md").read_text(encoding="utf-8")
    assert "base_model: tiny" in card
    assert "uniform task mixing" in card
    assert "LoRA, rank 4, alpha 64, dropout 0.1; language at 0.01, audio at 0.001" in card
    assert "validation subset that training looked at" in card
    for task in ("asr", "text_summ", "dialect"):
        assert f"| {task} | loss |" in card
    assert "A fine-tuned copy of" in (exported / "merged" / "README.md").read_text(encoding="utf-8")


def test_the_card_gives_the_test_evaluation_where_there_is_one(run: Path) -> None:
    from recipes.evaluate import main as evaluate

    assert evaluate([str(run), "--split", "validation", "--out", str(run / "evaluation" / "test")]) == 0
    folder = run.parent / "evaluated"
    assert main([str(run), "--adapter", str(folder), "--examples", "1"]) == 0
    assert "bootstrap intervals" in (folder / "README.md").read_text(encoding="utf-8")
    other = run.parent / "not-evaluated"
    assert main([str(run), "--adapter", str(other), "--examples", "1", "--checkpoint", "step-6"]) == 0
    assert "bootstrap intervals" not in (other / "README.md").read_text(encoding="utf-8")


def test_an_adapter_that_answers_otherwise_is_an_error(run: Path, monkeypatch, capsys) -> None:
    def forget(*_: object) -> None:
        """Loading nothing: the base model answers."""

    monkeypatch.setattr(merge, "load_adapter", forget)
    assert main([str(run), "--adapter", str(run.parent / "forgotten"), "--examples", "1"]) == 2
    assert "loaded back, the adapter answers otherwise" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(run: Path, exported: Path, capsys) -> None:
    assert main([str(run), "--merged", str(exported / "merged")]) == 2
    assert "not empty" in capsys.readouterr().err


def test_an_adapter_of_another_base_is_refused(exported: Path) -> None:
    other = toy_model()
    other.name = "Qwen/Qwen2.5-Omni-3B"
    with pytest.raises(Exception, match=r"was trained on tiny, and the model here is Qwen/Qwen2\.5-Omni-3B"):
        load_adapter(other, exported / "adapter")


def test_a_checkpoint_that_is_not_there_is_answered_with_those_that_are(run: Path, capsys) -> None:
    assert main([str(run), "--adapter", str(run.parent / "x"), "--checkpoint", "step-99"]) == 2
    assert "There are: best, last, step-" in capsys.readouterr().err


def test_a_small_loss_difference_alone_is_not_sameness() -> None:
    assert Comparison(equal=4, total=4, loss_moved=1e-5).same
    assert not Comparison(equal=4, total=4, loss_moved=0.01).same
    assert not Comparison(equal=3, total=4, loss_moved=0.0).same
