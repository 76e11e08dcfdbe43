"""`recipes.evaluate` from end to end, on the toy model's real classes."""

from __future__ import annotations

import json

import pytest

from recipes import evaluate, train
from recipes.evaluation.judge import read_gradings
from recipes.evaluation.predictions import read_predictions
from tests.recipes.toys import toy_config, toy_dataset, toy_row
from tests.support.chat_server import chat_server
from tests.support.toy_models import toy_whisper


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A dataset, a config, and a short run under it."""
    folder = tmp_path_factory.mktemp("evaluate")
    config = toy_config(folder, toy_dataset(folder / "data"))
    quick = [
        "--set",
        "schedule.kind=uniform",
        "--set",
        "schedule.steps=2",
        "--set",
        "eval.every=2",
        "--set",
        "train.save_every=2",
    ]
    assert train.main([str(config), "--run", str(folder / "run"), *quick]) == 0
    return folder


def test_a_runs_checkpoint_is_scored_on_a_split(place, capsys):
    assert evaluate.main([str(place / "run"), "--split", "validation", "--device", "cpu"]) == 0
    folder = place / "run" / "evaluation" / "validation"
    report = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert report["model"] == "run, step-2"
    assert set(report["tasks"]) == {"asr", "text_summ", "dialect"}
    for result in report["tasks"].values():
        for metric in result["metrics"].values():
            assert metric["low"] <= metric["value"] <= metric["high"]
    assert len(read_predictions(folder / "predictions.jsonl")) == 18
    assert "macro_f1*" in capsys.readouterr().out


def test_an_evaluation_gives_the_same_answers_as_training_did(place):
    """The fixed subset's answers, chosen by seed, must not depend on who asks."""
    assert evaluate.main([str(place / "run"), "--split", "validation", "--device", "cpu"]) == 0
    ours = {p.example: p.answer for p in read_predictions(place / "run/evaluation/validation/predictions.jsonl")}
    theirs = {p.example: p.answer for p in read_predictions(place / "run/predictions/step-2.jsonl")}
    assert theirs
    assert {name: ours[name] for name in theirs} == theirs


def test_the_base_model_and_an_adapter_are_scored_by_config(place):
    base = [str(place / "run.toml"), "--split", "validation", "--device", "cpu", "--limit", "2"]
    assert evaluate.main([*base, "--out", str(place / "base")]) == 0
    adapter = place / "run" / "checkpoints" / "step-2" / "model"
    assert evaluate.main([*base, "--adapter", str(adapter), "--out", str(place / "adapter")]) == 0
    reports = [json.loads((place / name / "metrics.json").read_text(encoding="utf-8")) for name in ("base", "adapter")]
    assert [report["tasks"]["asr"]["examples"] for report in reports] == [2, 2]
    assert reports[0]["model"] == "tiny"
    assert "with" in reports[1]["model"]


def test_the_majority_baseline_needs_no_model(place):
    out = place / "majority"
    arguments = [str(place / "run.toml"), "--baseline", "majority", "--split", "validation", "--out", str(out)]
    assert evaluate.main(arguments) == 0
    report = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert report["tasks"]["dialect"]["metrics"]["accuracy"]["value"] == 0.5
    assert report["tasks"]["dialect"]["metrics"]["invalid"]["value"] == 0


def test_a_limit_draws_examples_at_random_and_the_same_ones_for_every_run(tmp_path):
    """The first rows of a sorted set are one dialect. Seeds of training must not change who is asked."""
    import datasets

    rows = [{**toy_row(f"r{i:02}", i, broken=""), "dialect": "EGY" if i < 20 else "LEV"} for i in range(40)]
    table = datasets.Dataset.from_list(rows).cast_column("audio", datasets.Audio(decode=False))
    datasets.DatasetDict({"train": table, "validation": table}).save_to_disk(str(tmp_path / "sorted"))
    config = toy_config(tmp_path, tmp_path / "sorted")
    asked = []
    for seed in range(2):
        out = tmp_path / f"majority-{seed}"
        arguments = [str(config), "--baseline", "majority", "--split", "validation", "--limit", "10"]
        assert evaluate.main([*arguments, "--set", f"train.seed={seed}", "--out", str(out)]) == 0
        asked.append(read_predictions(out / "predictions.jsonl"))
    assert len(asked[0]) == 10
    assert {one.reference for one in asked[0]} == {"Egyptian", "Levantine"}
    assert [one.example for one in asked[0]] == [one.example for one in asked[1]]


def test_the_cascade_is_whisper_and_a_text_llm_under_the_same_scores(place, tmp_path):
    settings = ["--baseline", "cascade", "--whisper", str(toy_whisper(tmp_path / "whisper")), "--limit", "2"]
    with chat_server(lambda messages: "Egyptian") as server:
        settings += ["--set", f'eval.cascade.url="{server.url}"', "--set", 'eval.cascade.model="toy"']
        settings += ["--split", "validation", "--device", "cpu", "--out", str(place / "cascade")]
        assert evaluate.main([str(place / "run.toml"), *settings]) == 0
    report = json.loads((place / "cascade" / "metrics.json").read_text(encoding="utf-8"))
    rows = read_predictions(place / "cascade" / "predictions.jsonl")
    egyptian = [row.reference == "Egyptian" for row in rows if row.task == "dialect"]
    assert report["tasks"]["dialect"]["metrics"]["accuracy"]["value"] == sum(egyptian) / 2
    assert len(rows) == 6


def test_the_judge_is_asked_about_summaries_only(place):
    with chat_server(lambda messages: '{"faithfulness": 2, "coverage": 1, "fluency": 3}') as server:
        settings = [f'eval.judge.url="{server.url}"', 'eval.judge.model="toy"']
        arguments = [str(place / "run"), "--split", "validation", "--device", "cpu", "--out", str(place / "judged")]
        assert evaluate.main([*arguments, *(word for one in settings for word in ("--set", one))]) == 0
    report = json.loads((place / "judged" / "metrics.json").read_text(encoding="utf-8"))
    assert report["tasks"]["text_summ"]["judge"]["metrics"]["faithfulness"]["value"] == 2
    assert "judge" not in report["tasks"]["asr"]
    assert len(server.requests) == 6
    gradings = read_gradings(place / "judged" / "grades.jsonl")
    assert {one.example for one in gradings} == {
        one.example for one in read_predictions(place / "judged" / "predictions.jsonl") if one.task == "text_summ"
    }
    assert {one.grades for one in gradings} == {(2, 1, 3)}


def test_gradings_that_fail_are_counted_and_named(place, capsys):
    out = place / "failed"
    with chat_server(lambda messages: "no") as server:
        settings = [f'eval.judge.url="{server.url}"', 'eval.judge.model="toy"', "eval.judge.retries=0"]
        arguments = [str(place / "run"), "--split", "validation", "--device", "cpu", "--limit", "2", "--out", str(out)]
        assert evaluate.main([*arguments, *(word for one in settings for word in ("--set", one))]) == 0
    gradings = read_gradings(out / "grades.jsonl")
    assert [one.grades for one in gradings] == [None, None]
    printed = capsys.readouterr().out
    assert "text_summ: no grades by toy on 0 examples; 2 gradings failed: " in printed
    assert all(f"{one.example} (unreadable answer: no JSON" in printed for one in gradings)
    assert evaluate.main(arguments) == 0
    assert not (out / "grades.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run.toml"], "--out is needed"),
        (["run.toml", "--baseline", "cascade", "--out", "x"], "needs --whisper"),
        (["run", "--checkpoint", "step-99"], "no checkpoint 'step-99'"),
        (["run", "--split", "test"], "split 'test'"),
        (["nothing.toml", "--out", "x"], "no such config"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_one_line(place, capsys, arguments, message):
    arguments = [str(place / arguments[0]), *arguments[1:], "--device", "cpu"]
    if "--split" not in arguments:
        arguments += ["--split", "validation"]
    assert evaluate.main(arguments) == 2
    assert message in capsys.readouterr().err
