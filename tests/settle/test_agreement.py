"""Agreement: checked against scikit-learn and Krippendorff's own example, and against what a person would say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.records import Review
from aramega.settle.agreement import (
    Agreement,
    FieldAgreement,
    cohens_kappa,
    krippendorffs_alpha,
    measure_agreement,
    share_of_same,
    tally_texts,
)
from aramega.settle.intervals import FEWEST, Interval, bootstrap_rows, bootstrap_sums
from aramega.text import cer, chrf, chrf_counts, normalize, wer
from tests.support.drafts import DIALECTS, SENTENCES, Annotator


def session(*answers: Mapping[str, tuple[object, ...]]) -> list[Review]:
    """Reviews of one passage for each mapping: field → what amal, basim and dina answer (None: not asked)."""
    people = [Annotator(name) for name in ("amal", "basim", "dina")]
    reviews = []
    for number, fields in enumerate(answers):
        for i in range(max(map(len, fields.values()))):
            said = {name: values[i] for name, values in fields.items()}
            reviews.append(people[i].says(f"passage {number:02d}", verdict="fix", **said))
    return reviews


def figure(fields: tuple[FieldAgreement, ...], name: str, of: str) -> Interval:
    return next(f for f in fields if f.field == name).figures[of]


# Texts


def test_people_who_write_the_same_are_in_perfect_agreement() -> None:
    found = measure_agreement(session(*({"transcript": (text, text)} for text in SENTENCES)))
    for name, wanted in (("wer", 0.0), ("cer", 0.0), ("chrf", 100.0)):
        assert figure(found.between, "transcript", name) == Interval(wanted, wanted, wanted, len(SENTENCES))
    assert found.disagreements == ()


def test_error_rates_between_two_are_the_same_whoever_comes_first() -> None:
    pairs = [("فاز المنتخب", "فاز المنتخب الوطني أمس"), ("نعم", "لا"), (SENTENCES[0], SENTENCES[0])]
    one = measure_agreement(session(*({"summary": pair} for pair in pairs)))
    other = measure_agreement(session(*({"summary": pair[::-1]} for pair in pairs)))
    assert one.between == other.between
    errors, words = 2 + 1 + 0, (2 + 4) / 2 + 1 + len(SENTENCES[0].split())
    assert figure(one.between, "summary", "wer").value == pytest.approx(errors / words)


def test_against_gold_the_gold_is_the_reference_and_the_rates_are_those_of_aramega_text() -> None:
    golds, theirs = ["فاز المنتخب الوطني مساء أمس", SENTENCES[1]], ["فاز المنتخب", f"{SENTENCES[1]}، أيضا"]
    reviews = session(*({"transcript": pair} for pair in zip(golds, theirs, strict=True)))
    found = measure_agreement([replace(r, gold=r.annotator == "amal") for r in reviews])
    [field] = [f for f in found.with_gold["basim"] if f.field == "transcript"]
    assert field.figures["wer"].value == wer(golds, theirs)
    assert field.figures["cer"].value == cer(golds, theirs)
    light = [[normalize(text, "light") for text in texts] for texts in (golds, theirs)]
    assert field.figures["chrf"].value == pytest.approx(chrf(*light))
    assert (found.gold_passages, found.passages, found.annotators) == (2, 0, ("basim",))


def test_a_comma_is_no_disagreement_about_what_was_said_but_shows_in_chrf() -> None:
    sums = tally_texts("قال الوزير إن العمل بدأ", "قال الوزير: إن العمل بدأ.")
    assert (sums[0], sums[2]) == (0, 0)
    found = measure_agreement(session({"transcript": ("قال الوزير إن العمل بدأ", "قال الوزير: إن العمل بدأ.")}))
    assert figure(found.between, "transcript", "chrf").value < 100


@given(st.text("ابت ،", max_size=12))
def test_chrf_of_a_text_and_itself_needs_no_counting(text: str) -> None:
    light = normalize(text, "light")
    assert tuple(tally_texts(text, text)[4:]) == chrf_counts(light, light)


def test_a_passage_of_three_annotators_counts_as_three_reviews_and_not_as_three_pairs() -> None:
    """Between any two of three all words differ in the first passage; in the second, of two, none does."""
    one_word = session({"title": ("نعم", "لا", "ربما")}, {"title": ("نعم", "نعم")})
    assert figure(measure_agreement(one_word).between, "title", "wer").value == pytest.approx(3 / 5)


# Labels


@given(st.lists(st.tuples(st.sampled_from(DIALECTS), st.sampled_from(DIALECTS)), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_kappa_is_scikit_learns(labels: list[tuple[str, str]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    table = np.zeros((5, 5))
    for one, other in labels:
        table[DIALECTS.index(one), DIALECTS.index(other)] += 1
    ours = float(cohens_kappa(table.ravel()))
    if len({label for pair in labels for label in pair}) == 1:
        assert np.isnan(ours)  # nothing to agree or disagree about
    else:
        assert ours == pytest.approx(cohen_kappa_score(*zip(*labels, strict=True)))
    assert float(share_of_same(table.ravel())) == np.mean([one == other for one, other in labels])


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    """Twelve units, four coders, five values, some missing (Krippendorff 2011): nominal 0.743, ordinal 0.815."""
    coders = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    reviews = [
        Annotator(f"coder {c}").says(f"unit {u:02d}", confidence=int(value), emotion=f"value {value}")
        for c, row in enumerate(coders)
        for u, value in enumerate(row)
        if value != "."
    ]
    found = measure_agreement(reviews)
    assert round(figure(found.between, "emotion", "alpha").value, 3) == 0.743
    assert round(figure(found.between, "confidence", "alpha").value, 3) == 0.815


def test_two_annotators_get_kappa_and_alpha_and_three_get_alpha_alone() -> None:
    two = [{"dialect": ("EGY", "EGY")}, {"dialect": ("MSA", "EGY")}, {"dialect": ("MSA", "MSA")}]
    [dialect] = [f for f in measure_agreement(session(*two)).between if f.field == "dialect"]
    assert list(dialect.figures) == ["same", "kappa", "alpha"]
    assert dialect.figures["kappa"].value == pytest.approx(0.4)
    third = session(*two, {"dialect": ("EGY", "EGY", "EGY")})
    [dialect] = [f for f in measure_agreement(third).between if f.field == "dialect"]
    assert list(dialect.figures) == ["same", "alpha"]


def test_where_all_gave_one_label_to_everything_alpha_is_not_defined_and_not_made_up() -> None:
    [verdict] = measure_agreement(session({"reason": ("", "")}, {"reason": ("", "")})).between
    assert verdict.field == "verdict"
    assert set(verdict.figures) == {"same"}
    assert np.isnan(krippendorffs_alpha(np.array([[2, 0], [3, 0]]), "nominal"))


def test_what_someone_rejects_they_did_not_correct_so_only_the_verdict_counts() -> None:
    reviews = [
        Annotator("amal").says("p", verdict="reject", transcript="مسودة"),
        Annotator("basim").says("p", transcript="نص"),
    ]
    assert [f.field for f in measure_agreement(reviews).between] == ["verdict"]


def test_only_last_words_count_and_one_person_cannot_disagree_with_themselves() -> None:
    amal, basim = Annotator("amal"), Annotator("basim")
    reviews = [amal.says("p", dialect="EGY"), amal.says("p", dialect="LEV"), basim.says("p", dialect="LEV")]
    assert figure(measure_agreement(reviews).between, "dialect", "same").value == 1.0
    assert measure_agreement(reviews[:2]) == Agreement(("amal",), 0, 0, (), {"amal": ()}, {"amal": ()}, {}, ())


# Trust and disagreements


def test_trust_has_to_be_earned() -> None:
    """Perfect on one passage proves less than nearly perfect on many."""
    gold = Annotator("gold")
    seldom, often = Annotator("seldom"), Annotator("often")
    reviews = [gold.says("00", dialect="EGY", gold=True), seldom.says("00", dialect="EGY")]
    for number in range(1, 30):
        said = "EGY" if number > 1 else "MSA"
        reviews += [gold.says(f"{number:02d}", dialect="EGY", gold=True), often.says(f"{number:02d}", dialect=said)]
    trust = measure_agreement(reviews).trust
    assert trust["seldom"] == pytest.approx(2 / 3)
    assert trust["often"] > trust["seldom"]
    assert "gold" not in trust


def test_disagreements_come_worst_first_with_what_each_said_and_where() -> None:
    reviews = session(
        {"transcript": ("فاز المنتخب الوطني", "فاز المنتخب الوطنى"), "dialect": ("MSA", "MSA")},
        {"transcript": ("فاز المنتخب الوطني", "خسر فريق آخر"), "dialect": ("MSA", "EGY")},
        {"transcript": ("نعم", "نعم"), "dialect": ("MSA", "MSA")},
    )
    reviews = [replace(r, place=f"https://ls.example/projects/1/data?task={r.passage[-1]}") for r in reviews]
    worst, least = measure_agreement(reviews).disagreements
    assert (worst.passage, least.passage) == ("passage 01", "passage 00")
    assert worst.differences[0].field == "dialect"
    assert worst.differences[0].answers == {"amal": "MSA", "basim": "EGY"}
    assert worst.places == ("https://ls.example/projects/1/data?task=1",)


def test_accepted_or_mended_is_no_disagreement_and_rejected_or_not_is() -> None:
    amal, basim = Annotator("amal"), Annotator("basim")
    assert measure_agreement([amal.says("p", verdict="accept"), basim.says("p", verdict="fix")]).disagreements == ()
    [found] = measure_agreement([amal.says("q"), basim.says("q", verdict="reject", reason="music")]).disagreements
    assert found.differences[0].answers == {"amal": "accept", "basim": "reject: music"}


def test_all_figures_go_into_json() -> None:
    found = measure_agreement(session({"transcript": ("نعم", "لا"), "dialect": ("MSA", "EGY")}))
    assert json.loads(json.dumps(found.to_dict()))["between"][0]["figures"]["wer"]["value"] == 1.0


# Intervals

MEAN = {"mean": lambda sums: sums[..., 0] / sums[..., 1]}
"""Of rows of a value and a one."""


def test_an_interval_holds_its_figure_and_is_the_same_each_time() -> None:
    rows = np.random.default_rng(1).integers(0, 2, (40, 1)).astype(float)
    found = bootstrap_sums(np.hstack([rows, np.ones_like(rows)]), MEAN)["mean"]
    assert bootstrap_sums(np.hstack([rows, np.ones_like(rows)]), MEAN)["mean"] == found
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value == rows.mean() < found.high


def test_both_ways_to_resample_tell_the_same() -> None:
    rows = np.random.default_rng(2).normal(size=(60, 1))
    sums = bootstrap_sums(np.hstack([rows, np.ones_like(rows)]), MEAN)["mean"]
    each = bootstrap_rows(rows, lambda r: float(r.mean()))
    assert each
    assert (each.value, each.low, each.high) == pytest.approx((sums.value, sums.low, sums.high), abs=0.05)


def test_a_few_passages_have_a_figure_and_no_interval() -> None:
    for passages in (1, FEWEST - 1):
        found = bootstrap_rows(np.ones((passages, 1)), lambda rows: float(rows.mean()))
        assert found == Interval(1.0, None, None, passages)
    assert bootstrap_rows(np.ones((0, 1)), lambda rows: float(rows.mean())) is None


def test_about_95_of_100_intervals_hold_the_truth() -> None:
    """Means of 40 passages drawn 200 times: the share that covers is binomial, 0.95 with a standard error of 0.015."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        rows = np.column_stack([rng.normal(1.0, 1.0, 40), np.ones(40)])
        found = bootstrap_sums(rows, MEAN, resamples=400)["mean"]
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1.0 <= found.high
    assert 0.89 <= covered / 200 <= 0.99
