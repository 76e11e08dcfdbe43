"""The model card: a header the Hub takes, every fact from the run, and what is unknown said to be unknown."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import ModelCard

from recipes.config import parse_config
from recipes.evaluation.config import EvalConfig
from recipes.evaluation.predictions import Prediction
from recipes.evaluation.report import evaluate_predictions, write_report
from recipes.tasks import build_tasks
from recipes.training.model_card import write_card


def card(folder, *, merged=False, **values):
    data = {"tasks": ["asr", "dialect"], "datasets": [{"path": "org/name", "configuration": "ssum"}]}
    config = parse_config({"data": data, **values}, source="test")
    run = folder / "hybrid"
    run.mkdir(exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    path = write_card(folder / "out", name="hybrid", run=run, config=config, step="step-12", merged=merged)
    return path.read_text(encoding="utf-8"), ModelCard.load(path)


def test_the_header_is_metadata_the_hub_understands(tmp_path):
    text, parsed = card(tmp_path)
    assert text.startswith("---\n")
    assert parsed.data.base_model == "Qwen/Qwen2.5-Omni-7B"
    assert parsed.data.library_name == "peft"
    assert parsed.data.language == "ar"
    assert parsed.data.datasets == ["org/name"]


def test_without_an_evaluation_the_card_says_that_it_knows_none(tmp_path):
    text, _ = card(tmp_path)
    assert "Unknown: no evaluation was attached" in text
    assert "Known limits: unknown" in text


def test_trainings_own_looks_are_called_what_they_are(tmp_path):
    (tmp_path / "hybrid").mkdir()
    line = {"step": 12, "eval": {"asr": {"wer": 0.25}}}
    (tmp_path / "hybrid" / "log.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    text, _ = card(tmp_path)
    assert "| asr | wer | 0.2500 |" in text
    assert "chose the checkpoint by this subset" in text


@pytest.mark.parametrize(("step", "shown"), [("step-12", True), ("step-6", False)])
def test_a_test_sets_scores_are_shown_when_they_are_of_this_very_checkpoint(tmp_path, step, shown):
    rows = [Prediction("asr", str(i), "نص", "نص") for i in range(4)]
    results = evaluate_predictions(rows, build_tasks(["asr"]), EvalConfig(resamples=100))
    facts = {"model": f"hybrid, {step}", "split": "test", "profile": "asr", "confidence": 0.95}
    write_report(tmp_path / "hybrid" / "evaluation" / "test", rows, results, facts)
    text, _ = card(tmp_path)
    assert ("| asr | wer | 0.0000 | 0.0000 to 0.0000 | 4 |" in text) is shown


def test_it_speaks_arabic_and_english_and_shows_how_to_load_what_it_is(tmp_path):
    text, _ = card(tmp_path)
    assert '<div dir="rtl" lang="ar">' in text
    assert "PeftModel.from_pretrained" in text
    merged, parsed = card(tmp_path, merged=True)
    assert "PeftModel" not in merged
    assert parsed.data.library_name == "transformers"


def test_the_schedule_and_the_configuration_are_those_of_the_run(tmp_path):
    text, _ = card(tmp_path, schedule={"kind": "hybrid", "steps": 40}, lora={"rank": 5})
    assert "TPC→ADS" in text
    assert "12 of 40" in text
    assert "rank 5" in text
    assert 'kind = "hybrid"' in text
