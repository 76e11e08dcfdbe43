"""`recipes.compare`: runs on one page, told apart only where the data can tell them apart."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes import compare
from recipes.comparison.charts import MOST_POINTS, line_chart, nice_ticks, thinned
from recipes.comparison.curves import (
    Curve,
    gradient_volatility,
    late_volatility,
    loss_curves,
    mean_volatility,
    metric_curves,
)
from recipes.comparison.holm import holm
from recipes.comparison.page import tokens_of
from recipes.comparison.runs import read_contenders, read_run
from recipes.comparison.scores import score_contenders
from recipes.config import parse_config, to_toml
from recipes.errors import RecipeError
from recipes.evaluation.judge import Grading, write_gradings
from recipes.evaluation.predictions import Prediction, write_predictions
from recipes.tasks import build_tasks
from tests.support.browser import DESKTOP, PHONE, open_page, running_browser

WORDS = ["صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة"]
DIALECTS = ["Egyptian", "Levantine", "Gulf", "Maghrebi"]


def make_run(folder, *, kind="uniform", skill=0.7, seed=0, steps=120, noise=0.1, extra=None, split="test"):
    """A run folder as training and evaluation leave one, its answers right in a share `skill` of the words."""
    rng = np.random.default_rng(seed)
    (folder / "evaluation" / split).mkdir(parents=True)
    values = {
        "data": {"tasks": ["asr", "dialect"], "datasets": [{"path": "org/name"}], **(extra or {})},
        "schedule": {"kind": kind, "steps": steps},
        "eval": {"resamples": 200},
        "train": {"seed": seed},
    }
    (folder / "config.toml").write_text(to_toml(parse_config(values, source="test")), encoding="utf-8")
    lines = []
    for step in range(1, steps + 1):
        lines.append(
            {
                "step": step,
                "phase": kind,
                "loss": float(4 * np.exp(-step / 40 * skill) + 0.3 + rng.normal(0, 0.1)),
                "task_loss": {"asr": 1.0},
                "grad_norm": float(np.exp(rng.normal(0, noise))),
                "lr": 1e-4,
                "tokens": 500,
                "seconds": 0.5,
                "epoch": step / 60,
            }
        )
        if step % 20 == 0:
            wer = float(np.exp(-step / 100 * skill))
            lines.append({"step": step, "eval": {"asr": {"wer": wer}, "dialect": {"macro_f1": 1 - wer}}})
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "best").write_text(f"step-{steps}\n", encoding="utf-8")
    write_predictions(folder / "evaluation" / split / "predictions.jsonl", make_answers(skill, seed))
    return folder


def make_answers(skill, seed, n=160):
    truth, rng = np.random.default_rng(99), np.random.default_rng(seed)
    found = []
    for i in range(n):
        said = list(truth.choice(WORDS, 5))
        heard = [word if rng.random() < skill else str(rng.choice(WORDS)) for word in said]
        facts = {"dialect": ["EGY", "LEV"][i % 2], "seconds": float(1 + i % 20), "snr_db": float(i % 30)}
        found.append(Prediction("asr", f"asr/{i}", " ".join(heard), " ".join(said), label="0-5s", **facts))
        true = DIALECTS[i % 4]
        guess = true if rng.random() < skill else str(rng.choice([*DIALECTS, "no idea"]))
        found.append(Prediction("dialect", f"dialect/{i}", guess, true, label=true, **facts))
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    skills = {"uniform": 0.6, "tpc": 0.61, "ads": 0.75, "hybrid": 0.85}
    return [
        f"{kind}={make_run(folder / f'{kind}-{seed}', kind=kind, skill=skill, seed=seed, noise=0.1 + 0.2 * (kind == 'ads'))}"
        for kind, skill in skills.items()
        for seed in range(3)
    ]


@pytest.fixture(scope="module")
def page(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("page")
    assert compare.main([*runs, "--out", str(out)]) == 0
    return out


def scored(named, **more):
    compared = read_contenders(named, split="test")
    tasks = build_tasks(compared.config.data.tasks, compared.config.data.task_options())
    return compared, {one.name: one for one in score_contenders(compared, tasks, compared.config.eval, **more)}


def test_seeds_of_one_name_are_one_contender_with_a_spread(runs):
    compared, tasks = scored(runs)
    assert [c.name for c in compared.contenders] == ["uniform", "tpc", "ads", "hybrid"]
    assert [len(c.runs) for c in compared.contenders] == [3, 3, 3, 3]
    assert all(score.spread["wer"] > 0 for score in tasks["asr"].scores)
    assert compared.source == "the test split"


def test_a_real_difference_is_found_and_a_small_one_is_not_claimed(runs):
    _, tasks = scored(runs)
    by_name = {score.contender: score for score in tasks["asr"].scores}
    assert by_name["uniform"].against_first == {}
    assert by_name["hybrid"].against_first["wer"].significant()
    assert by_name["hybrid"].against_first["wer"].difference < 0
    assert not by_name["tpc"].against_first["wer"].significant()


def test_the_score_of_seeds_together_is_the_mean_of_each_seeds_score(runs):
    _, both = scored(runs[:2])
    alone = [scored([run])[1] for run in runs[:2]]
    for task, one in both.items():
        for name, interval in one.scores[0].metrics.items():
            seeds = [other[task].scores[0].metrics[name].value for other in alone]
            assert interval.value == pytest.approx(np.mean(seeds)), (task, name)
            assert interval.low <= interval.value <= interval.high
            assert one.scores[0].spread[name] == pytest.approx(np.std(seeds, ddof=1))


def test_below_three_seeds_there_is_no_verdict_whatever_the_difference(runs, tmp_path):
    few = [run for run in runs if run.startswith(("uniform", "hybrid"))][:5]  # two of hybrid's three
    _, tasks = scored(few)
    hybrid = tasks["asr"].scores[1]
    assert hybrid.against_first["wer"].p_value < 0.05
    assert hybrid.no_verdict == "2 of 3 seeds"
    assert compare.main([*few, "--out", str(tmp_path)]) == 0
    text = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert "no verdict: 2 of 3 seeds" in text
    assert "significantly" not in text


def test_a_baseline_that_nothing_trained_needs_no_seeds(runs, tmp_path):
    write_predictions(tmp_path / "majority" / "predictions.jsonl", make_answers(0.2, 0))
    _, tasks = scored([*runs[:3], str(tmp_path / "majority")])
    majority = tasks["dialect"].scores[1]
    assert majority.no_verdict == ""
    assert majority.against_first["macro_f1"].significant()


def test_answers_of_one_recording_are_drawn_together(runs, tmp_path):
    """Whole recordings are right or wrong: forty of them say less than eight hundred passages would."""
    widths = {}
    for name, recording in (("apart", lambda i: ""), ("together", lambda i: f"set/{i // 20}")):
        rows = [
            Prediction("dialect", str(i), DIALECTS[(i // 20 * 7 % 5 == 0) * 2], DIALECTS[0], recording=recording(i))
            for i in range(800)
        ]
        write_predictions(make_run(tmp_path / name) / "evaluation/test/predictions.jsonl", rows)
        task = scored([str(tmp_path / name)])[1]["dialect"]
        accuracy = task.scores[0].metrics["accuracy"]
        widths[task.groups.unit, task.groups.count] = accuracy.high - accuracy.low
    assert widths["recording", 40] > 3 * widths["example", 800]


def test_seeds_that_err_on_different_labels_do_not_make_up_for_each_other(tmp_path):
    """Each seed answers one label with another; their mean confusion matrix has a macro-F1 that none of them reached."""
    for seed in range(2):
        confused = DIALECTS[2 * seed]
        rows = [
            Prediction(
                "dialect",
                str(i),
                DIALECTS[2 * seed + 1] if DIALECTS[i % 4] == confused else DIALECTS[i % 4],
                DIALECTS[i % 4],
            )
            for i in range(40)
        ]
        write_predictions(make_run(tmp_path / f"seed-{seed}") / "evaluation/test/predictions.jsonl", rows)
    named = [f"uniform={tmp_path / f'seed-{seed}'}" for seed in range(2)]
    f1 = scored(named)[1]["dialect"].scores[0].metrics["macro_f1"]
    assert f1.value == pytest.approx((1 + 1 + 0 + 2 / 3) / 4)
    assert f1.low <= f1.value <= f1.high


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)
    assert adjusted[order[0]] == min(1.0, len(p_values) * min(p_values))


def test_holm_of_a_known_example():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_volatility_tells_jumping_gradients_from_large_ones(tmp_path):
    calm = read_run(make_run(tmp_path / "calm", noise=0.05))
    wild = read_run(make_run(tmp_path / "wild", noise=0.8))
    steps, volatility = gradient_volatility(calm)
    assert (steps[-1], len(steps)) == (120, len(volatility))
    assert gradient_volatility(wild)[1].mean() > 5 * volatility.mean()


def test_curves_are_means_over_seeds_between_their_extremes(runs):
    compared, _ = scored(runs)
    for curve in (*loss_curves(compared.contenders), *metric_curves(compared.contenders, "asr", "wer")):
        assert np.all(curve.low <= curve.mean + 1e-12)  # three equal values need not have their mean, to the last bit
        assert np.all(curve.mean <= curve.high + 1e-12)
    assert metric_curves(compared.contenders, "asr", "no such metric") == []
    assert late_volatility(compared.contenders[2]) > late_volatility(compared.contenders[0])


def test_the_tokens_of_a_run_are_summed_also_where_its_log_skips_steps(tmp_path):
    run = read_run(make_run(tmp_path / "run", steps=40))
    assert tokens_of(run) == 40 * 500
    assert tokens_of(replace(run, lines=[line for line in run.lines if line["step"] % 2 == 0])) == 40 * 500


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6), about=st.integers(2, 8))
def test_ticks_are_round_cover_the_range_and_are_not_too_many(low, width, about):
    ticks = nice_ticks(low, low + width, about)
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + step * 1e-6
    assert ticks[-1] >= low + width - step * 1e-6
    assert len(ticks) <= about + 2


def test_a_flat_line_has_a_scale_too():
    assert nice_ticks(0, 0, 6) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert nice_ticks(4, 4, 3)[0] <= 4 <= nice_ticks(4, 4, 3)[-1]


def test_long_curves_are_thinned_to_what_a_screen_shows():
    steps = np.arange(10_000)
    curve = Curve("a", steps, steps * 1.0, steps - 1.0, steps + 1.0)
    short = thinned(curve)
    assert len(short.steps) == MOST_POINTS
    assert short.mean.mean() == pytest.approx(curve.mean.mean(), rel=1e-2)
    svg = line_chart([curve], title="عنوان & title", y_label="y", order=["a"])
    assert "&amp; title" in svg
    assert len(svg) < 30_000


def test_the_page_is_one_file_that_refers_to_nothing_outside(page):
    html = (page / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!#)""", html)
    assert html.count("<figure") == 4
    assert 'name="viewport"' in html
    assert "prefers-color-scheme:dark" in html


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    EMPTY = ("meta", "br", "path", "circle", "link")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def test_the_pages_elements_are_balanced_and_hostile_answers_stay_text(tmp_path):
    run = make_run(tmp_path / "<b>run")
    attack = [Prediction("asr", "asr/0", "<script>alert(1)</script>", "نص")]
    write_predictions(run / "evaluation" / "test" / "predictions.jsonl", attack)
    assert compare.main([str(run), "--out", str(tmp_path / "page"), "--title", "<i>x"]) == 0
    html = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "<script>" not in html
    assert "<b>run" not in html
    parser = Balance()
    parser.feed(html)
    assert parser.open == []


def test_the_markdown_page_has_whole_tables_and_plots_beside_it(page):
    text = (page / "index.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
        assert len(table.splitlines()) >= 3
    for plot in re.findall(r"\]\((plots/[\w-]+\.svg)\)", text):
        assert (page / plot).read_text(encoding="utf-8").startswith("<svg")
    assert "significantly better" in text


def test_heard_and_read_are_compared_apart_and_named_on_the_page(tmp_path):
    named = []
    for name, skill in (("one", 0.5), ("other", 0.9)):
        heard = [one for one in make_answers(skill, 1) if one.task == "dialect"]
        read = [
            replace(one, example=f"dialect+text/{one.example}", answer=one.reference, modality="text") for one in heard
        ]
        named.append(str(make_run(tmp_path / name)))
        write_predictions(tmp_path / name / "evaluation/test/predictions.jsonl", [*heard, *read])
    _, tasks = scored(named)
    assert [one.examples for one in tasks.values()] == [160, 160]
    assert tasks["dialect+text"].scores[0].metrics["accuracy"].value == 1
    assert tasks["dialect"].scores[0].metrics["accuracy"].value < 0.7
    assert compare.main([*named, "--out", str(tmp_path / "page")]) == 0
    for page in ("index.html", "index.md"):
        assert "Dialect identification from text" in (tmp_path / "page" / page).read_text(encoding="utf-8")


def make_judged(folder, name, grade, *, judge="toy", failed=()):
    """A run whose summaries a judge graded: `grade` of an example's number, but for those that failed."""
    run = make_run(folder / name, extra={"tasks": ["ssum"]})
    rows = [Prediction("ssum", f"ssum/{i}", "ملخص", "ملخص آخر") for i in range(40)]
    write_predictions(run / "evaluation/test/predictions.jsonl", rows)
    gradings = [
        Grading("ssum", f"ssum/{i}", judge, None if i in failed else (grade(i),) * 3, "no JSON" if i in failed else "")
        for i in range(40)
    ]
    write_gradings(run / "evaluation/test", gradings)
    return f"{name.partition('-')[0]}={run}"


def test_grades_are_paired_by_example_and_what_was_not_graded_is_named(tmp_path):
    """Both fail on the other's hardest examples: means over what each was graded on would turn the order around."""
    weak = [make_judged(tmp_path, f"weak-{s}", lambda i: 1 + i // 10, failed=range(10)) for s in range(3)]
    strong = [make_judged(tmp_path, f"strong-{s}", lambda i: 1.5 + i // 10, failed=range(32, 40)) for s in range(3)]
    named = [*weak, *strong]
    judged = scored(named)[1]["ssum"].judged
    assert judged.examples == 22
    assert [score.contender for score in judged.scores] == ["weak", "strong"]
    difference = judged.scores[1].against_first["faithfulness"]
    assert difference.difference == pytest.approx(0.5)
    assert difference.significant()
    assert judged.scores[1].spread == {"faithfulness": 0, "coverage": 0, "fluency": 0}
    assert judged.scores[0].failed == tuple(f"ssum/{i}" for i in range(10))
    assert compare.main([*named, "--out", str(tmp_path / "page")]) == 0
    for page in ("index.html", "index.md"):
        text = (tmp_path / "page" / page).read_text(encoding="utf-8")
        assert "rades by toy" in text
        assert "+0.50" in text
        assert "ssum/0, ssum/1" in text


def test_grades_of_different_judges_are_not_compared(tmp_path):
    named = [make_judged(tmp_path, name, lambda i: 3.0, judge=name) for name in ("mild", "strict")]
    judged = scored(named)[1]["ssum"].judged
    assert (judged.judges, judged.scores) == (("mild", "strict"), ())
    assert compare.main([*named, "--out", str(tmp_path / "page")]) == 0
    assert "graded by different judges" in (tmp_path / "page" / "index.md").read_text(encoding="utf-8")


def test_runs_whose_examples_share_a_name_are_refused(tmp_path, capsys):
    run = make_run(tmp_path / "run")
    write_predictions(run / "evaluation/test/predictions.jsonl", [Prediction("asr", "asr/a", "ن", "نص")] * 2)
    assert compare.main([str(run), "--out", str(tmp_path / "page")]) == 2
    assert "asr/a: two predictions have this name" in capsys.readouterr().err


def test_a_baseline_without_a_log_takes_part_where_it_has_answers(runs, tmp_path):
    majority = [p for p in make_answers(0.25, 5) if p.task == "dialect"]
    write_predictions(tmp_path / "majority" / "predictions.jsonl", majority)
    compared, tasks = scored([runs[0], f"majority={tmp_path / 'majority'}"])
    assert [s.contender for s in tasks["dialect"].scores] == ["uniform", "majority"]
    assert [s.contender for s in tasks["asr"].scores] == ["uniform"]
    assert compare.main([runs[0], f"majority={tmp_path / 'majority'}", "--out", str(tmp_path / "page")]) == 0
    assert mean_volatility(compared.contenders[1]) is None


def test_without_test_answers_everyone_is_compared_on_trainings_own(tmp_path, runs):
    run = make_run(tmp_path / "young", split="validation")
    other = make_run(tmp_path / "old")
    for folder in (run, other):
        write_predictions(folder / "predictions" / "step-120.jsonl", make_answers(0.5, 1, n=30))
    compared = read_contenders([str(other), str(run)], split="test")
    assert "validation subset" in compared.source
    assert all(len(rows) == 60 for contender in compared.contenders for rows in contender.answers)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "config.toml").unlink(), "neither a run"),
        (lambda run: (run / "evaluation/test/predictions.jsonl").unlink(), "python -m recipes.evaluate"),
    ],
)
def test_a_run_that_cannot_be_compared_says_what_is_missing(tmp_path, capsys, spoil, message):
    run = make_run(tmp_path / "run")
    spoil(run)
    assert compare.main([str(run), "--out", str(tmp_path / "page")]) == 2
    assert message in capsys.readouterr().err


def test_runs_scored_under_different_rules_are_refused(tmp_path):
    one, other = make_run(tmp_path / "a"), make_run(tmp_path / "b", extra={"profile": "light"})
    with pytest.raises(RecipeError, match="scored differently"):
        read_contenders([str(one), str(other)], split="test")


def test_runs_without_a_common_example_are_refused(tmp_path, capsys):
    one, other = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    write_predictions(other / "evaluation/test/predictions.jsonl", [Prediction("asr", "else", "ن", "نص")])
    assert compare.main([str(one), str(other), "--out", str(tmp_path / "page")]) == 2
    assert "no example in common" in capsys.readouterr().err


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_the_page_fits_a_phone_and_a_desk_in_dark_and_light(page, size, scheme):
    with running_browser() as browser, open_page(browser, page / "index.html", size=size, scheme=scheme) as opened:
        tab = opened.page
        tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
        paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(18, 22, 28)" if scheme == "dark" else "rgb(255, 255, 255)")
        assert tab.locator("figure svg").count() == 4
    assert opened.complaints == []
    assert len(opened.requests) == 1
