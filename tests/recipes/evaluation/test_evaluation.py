"""Evaluation: intervals that cover, tests that don't cry wolf, slices, and files that read back."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.errors import RecipeError
from recipes.evaluation.config import EvalConfig
from recipes.evaluation.predictions import (
    Prediction,
    by_task,
    from_mapping,
    paired,
    read_predictions,
    write_predictions,
)
from recipes.evaluation.report import evaluate_predictions, read_report, terminal_table, write_report
from recipes.evaluation.resampling import bootstrap, compare_paired
from recipes.evaluation.slices import band, slices
from recipes.tasks import build_tasks
from recipes.training.validate import mean_loss, score_predictions, task_losses

TASKS = build_tasks()
DIALECT = TASKS["dialect"]
CODES = ["EGY", "LEV", "GLF", "NOR"]


def answers_right(share, n, rng):
    references = [CODES[i % 4] for i in range(n)]
    answers = [r if rng.random() < share else CODES[(CODES.index(r) + 1) % 4] for r in references]
    return answers, references


def test_a_metrics_interval_contains_its_value_and_shrinks_with_more_examples():
    rng = np.random.default_rng(0)
    widths = []
    for n in (50, 800):
        found = bootstrap(DIALECT, DIALECT.tally(*answers_right(0.7, n, rng)))
        for interval in found.values():
            assert interval.low <= interval.value <= interval.high
        widths.append(found["accuracy"].high - found["accuracy"].low)
    assert widths[1] < widths[0] / 2


def test_bootstrap_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(100):
        tallies = DIALECT.tally(*answers_right(0.7, 200, rng))
        accuracy = bootstrap(DIALECT, tallies, resamples=200, seed=trial)["accuracy"]
        covered += accuracy.low <= 0.7 <= accuracy.high
    assert covered >= 87


def test_the_bootstrap_of_a_mean_agrees_with_the_normal_approximation():
    tallies = DIALECT.tally(*answers_right(0.7, 1000, np.random.default_rng(2)))
    found = bootstrap(DIALECT, tallies, resamples=2000)["accuracy"]
    expected = 1.96 * np.sqrt(found.value * (1 - found.value) / 1000)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.1)


def test_the_same_seed_gives_the_same_interval():
    tallies = DIALECT.tally(*answers_right(0.5, 60, np.random.default_rng(3)))
    assert bootstrap(DIALECT, tallies, seed=7) == bootstrap(DIALECT, tallies, seed=7)
    assert bootstrap(DIALECT, tallies, seed=7) != bootstrap(DIALECT, tallies, seed=8)


def test_a_clear_difference_is_significant_and_identical_systems_are_not():
    rng = np.random.default_rng(4)
    weak, references = answers_right(0.5, 300, rng)
    strong, _ = answers_right(0.8, 300, rng)
    first, second = DIALECT.tally(weak, references), DIALECT.tally(strong, references)
    found = compare_paired(DIALECT, first, second)["accuracy"]
    assert found.significant(0.01)
    assert found.low > 0
    same = compare_paired(DIALECT, first, first)["macro_f1"]
    assert (same.difference, same.p_value, same.significant()) == (0, 1, False)


def test_under_no_difference_about_one_test_in_twenty_is_significant():
    rng = np.random.default_rng(5)
    alarms = 0
    for trial in range(100):
        one, references = answers_right(0.6, 100, rng)
        other, _ = answers_right(0.6, 100, rng)
        tallies = (DIALECT.tally(answers, references) for answers in (one, other))
        alarms += compare_paired(DIALECT, *tallies, resamples=200, seed=trial)["accuracy"].significant()
    assert alarms <= 12


@settings(max_examples=25)
@given(data=st.data())
def test_swapping_the_systems_turns_the_difference_around(data):
    name = data.draw(st.sampled_from(["asr", "ssum"]))
    sentence = st.sampled_from(["قال الوزير نعم", "قال", "لا شيء هنا اليوم", "نعم"])
    rows = data.draw(st.lists(st.tuples(sentence, sentence, sentence), min_size=2, max_size=12))
    references, one, other = zip(*rows, strict=True)
    first, second = (TASKS[name].tally(answers, references) for answers in (one, other))
    there, back = (compare_paired(TASKS[name], *pair, resamples=100) for pair in ((first, second), (second, first)))
    for metric in there:
        assert there[metric].difference == pytest.approx(-back[metric].difference)
        assert there[metric].p_value > 0


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (2, 2), (3, 2), (1, 3)])
def test_runs_of_one_skill_are_seldom_told_apart_and_of_two_always(ours, theirs):
    rng = np.random.default_rng(6)
    alarms = 0
    for trial in range(60):
        references = answers_right(0.6, 80, rng)[1]
        one, other = (
            np.stack([DIALECT.tally(answers_right(0.6, 80, rng)[0], references) for _ in range(runs)])
            for runs in (ours, theirs)
        )
        alarms += compare_paired(DIALECT, one, other, resamples=200, seed=trial)["macro_f1"].significant()
    assert alarms <= 9
    better = np.stack([DIALECT.tally(answers_right(0.95, 80, rng)[0], references) for _ in range(theirs)])
    better_f1 = compare_paired(DIALECT, one, better, resamples=200)["macro_f1"]
    assert better_f1.significant()
    assert better_f1.low <= better_f1.difference <= better_f1.high
    assert better_f1.first == pytest.approx(np.mean(DIALECT.metrics(one.sum(axis=1))["macro_f1"]))


def test_systems_on_different_examples_cannot_be_compared():
    with pytest.raises(ValueError, match="different examples"):
        compare_paired(DIALECT, np.zeros((2, 30)), np.zeros((3, 30)))


def predictions(n=90, task="dialect"):
    return [
        Prediction(
            task,
            f"{task}/set/{i}",
            answer="Egyptian" if i % 3 else "?",
            reference="Egyptian",
            label="EGY",
            dialect=["EGY", "LEV"][i % 2] if i < 80 else None,
            seconds=[2.0, 10.0, 40.0][i % 3],
            snr_db=None if i % 2 else 30.0,
        )
        for i in range(n)
    ]


def test_slices_are_bands_and_labels_big_enough_to_mean_something():
    found = slices(predictions(), EvalConfig(smallest_slice=30))
    assert list(found["dialect"]) == ["EGY", "LEV"]
    assert list(found["length"]) == ["under 5 s", "5 to 15 s", "30 to 60 s"]
    assert found["snr"] == {"25 dB and over": list(range(0, 90, 2))}
    assert slices(predictions(10), EvalConfig()) == {}


@given(value=st.floats(-50, 100), edges=st.lists(st.integers(-20, 60), min_size=1, max_size=5, unique=True).map(sorted))
def test_every_value_is_in_the_band_that_says_so(value, edges):
    name = band(value, edges, "s")
    numbers = [float(part) for part in name.split() if part.lstrip("-").isdigit()]
    if name.startswith("under"):
        assert value < numbers[0]
    elif name.endswith("over"):
        assert value >= numbers[0]
    else:
        assert numbers[0] <= value < numbers[1]


def test_an_evaluation_has_intervals_slices_and_a_confusion_matrix():
    results = evaluate_predictions(predictions(), TASKS, EvalConfig(resamples=100))
    result = results["dialect"]
    assert result["metrics"]["accuracy"]["value"] == pytest.approx(60 / 90)
    assert result["metrics"]["invalid"]["value"] == pytest.approx(30 / 90)
    labels, rows = result["confusion"]["labels"], result["confusion"]["rows"]
    egyptian = rows[labels.index("EGY")]
    assert (egyptian[labels.index("EGY")], egyptian[-1]) == (60, 30)
    assert set(result["slices"]) == {"dialect", "length", "snr"}
    assert result["slices"]["length"]["under 5 s"]["metrics"]["accuracy"]["value"] == 0
    assert "macro_f1*" in terminal_table(results)


def twins(skill_heard=1.0, skill_read=0.5, n=40):
    """The same passages heard and read, under the names that a run gives them."""
    rows = []
    for modality, skill in (("speech", skill_heard), ("text", skill_read)):
        kind = "dialect" if modality == "speech" else "dialect+text"
        for i in range(n):
            right = ["Egyptian", "Levantine"][i % 2]
            answer = right if i < skill * n else ["Egyptian", "Levantine"][(i + 1) % 2]
            rows.append(Prediction("dialect", f"{kind}/set/{i}", answer, right, modality=modality))
    return rows


def test_what_was_heard_and_what_was_read_are_scored_apart(tmp_path):
    results = evaluate_predictions(twins(), TASKS, EvalConfig(resamples=100))
    assert {name: one["metrics"]["accuracy"]["value"] for name, one in results.items()} == {
        "dialect": 1,
        "dialect+text": 0.5,
    }
    assert [one["examples"] for one in results.values()] == [40, 40]
    write_predictions(tmp_path / "p.jsonl", twins())
    assert list(by_task(read_predictions(tmp_path / "p.jsonl"))) == ["dialect", "dialect+text"]


def test_older_predictions_say_by_their_names_what_was_read():
    older = [{key: value for key, value in asdict(one).items() if key != "modality"} for one in twins()]
    assert [from_mapping(line) for line in older] == twins()
    summary = {"task": "text_summ", "example": "text_summ+text/set/1", "answer": "", "reference": "ملخص"}
    assert from_mapping(summary).scored_as == "text_summ"


def test_training_scores_them_apart_too_and_a_task_counts_once():
    lines = [{**asdict(one), "loss": 2.0 if one.modality == "text" else 1.0, "target_tokens": 1} for one in twins()]
    lines += [{**asdict(one), "loss": 3.0, "target_tokens": 1} for one in [Prediction("asr", "asr/set/0", "ن", "نص")]]
    scores = score_predictions(lines, TASKS)
    assert {name: one["loss"] for name, one in scores.items()} == {"asr": 3, "dialect": 1, "dialect+text": 2}
    assert task_losses(scores) == {"asr": 3, "dialect": 1.5}
    assert mean_loss(scores) == 2.25


def test_two_predictions_of_one_name_are_refused_where_runs_are_paired():
    rows = [*predictions(3), predictions(1)[0]]
    for pair in ((rows, predictions(3)), (predictions(3), rows)):
        with pytest.raises(RecipeError, match="dialect/set/0: two predictions have this name"):
            paired(*pair)


def test_a_report_reads_back_and_leaves_no_half_written_file(tmp_path):
    rows = predictions()
    results = evaluate_predictions(rows, TASKS, EvalConfig(resamples=100))
    write_report(tmp_path, rows, results, {"model": "toy", "split": "test"})
    assert read_report(tmp_path)["tasks"] == json.loads(json.dumps(results))
    assert read_predictions(tmp_path / "predictions.jsonl") == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "predictions.jsonl"]


def test_training_lines_are_predictions_too():
    line = {"task": "asr", "example": "a", "answer": "ن", "reference": "نص", "loss": 1.0, "target_tokens": 3}
    assert from_mapping(line) == Prediction("asr", "a", "ن", "نص")


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"task": "asr"}\n', encoding="utf-8")
    with pytest.raises(RecipeError, match="line 1"):
        read_predictions(path)


def test_runs_are_paired_by_example_whatever_their_order(tmp_path):
    one = predictions(5)
    other = list(reversed(predictions(4)))
    first, second = paired(one, other)
    assert [a.example for a in first] == [b.example for b in second] == [p.example for p in one[:4]]
    assert list(by_task(one)) == ["dialect"]
    path = tmp_path / "p.jsonl"
    write_predictions(path, [Prediction("asr", one[0].example, "ن", "نص آخر")])
    with pytest.raises(RecipeError, match="different references"):
        paired(one, read_predictions(path))
