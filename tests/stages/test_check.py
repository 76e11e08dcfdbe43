"""Checking drafts: what is measured, what repeats, and what becomes of a draft by rules one can read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.config import CheckConfig
from aramega.config.check import check_facts, read_rule
from aramega.records import AramegaError, DraftedPassage, Line, Summary, Transcript
from aramega.settle.judging import judge_drafts
from aramega.settle.verdicts import Facts, judge
from aramega.stages.check.faithfulness import (
    copied_stretches,
    coverage_and_density,
    novel_bigrams,
    unsupported_names,
    unsupported_numbers,
)
from aramega.stages.check.stage import check_draft, flag_line
from aramega.stages.transcribe.doubts import is_drawn_out
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from tests.support.drafts import drafted_workspace, put_draft

WORDS = "قال الوزير إن المشروع الجديد سيكتمل قريبا في العاصمة".split()
words = st.lists(st.sampled_from(WORDS), max_size=14)


def test_coverage_and_density_are_newsrooms() -> None:
    said = "the cat sat on the mat today".split()
    assert copied_stretches(said, "a cat sat on today".split()) == [3, 1]
    coverage, density = coverage_and_density(said, "a cat sat on today".split())
    assert coverage == pytest.approx(4 / 5)
    assert density == pytest.approx((9 + 1) / 5)
    assert coverage_and_density(said, []) == (None, None)


@given(words, words)
def test_what_is_copied_is_no_more_than_there_is(said: list[str], told: list[str]) -> None:
    lengths = copied_stretches(said, told)
    assert sum(lengths) <= len(told)
    assert (sum(lengths) == len(told)) == (set(told) <= set(said))


@given(words)
def test_a_summary_that_is_the_transcript_is_wholly_covered_and_nothing_is_new(said: list[str]) -> None:
    if said:
        assert coverage_and_density(said, said) == (1.0, float(len(said)))
    assert not novel_bigrams(said, said)


def test_numbers_are_supported_whichever_way_they_are_written() -> None:
    said = "افتتح خمسة وعشرون مستشفى بتكلفة ٣٫٥ مليون وارتفعت النسبة 3 في المئة"
    assert unsupported_numbers(said, "افتتاح 25 مستشفى بنسبة 3% وبتكلفة 3,500,000") == ()
    assert unsupported_numbers(said, "افتتاح 26 مستشفى") == ("26",)


def test_latin_names_must_have_been_said() -> None:
    assert unsupported_names("شركة Google أعلنت", "أعلنت google أرباحها") == ()
    assert unsupported_names("شركة أعلنت", "أعلنت Microsoft أرباحها") == ("Microsoft",)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("too short", "is written `reason: fact < number`"),
        (": words < 3", "is written"),
        ("short: words << 3", "not a comparison"),
        ("short: words < 3 or words > 9", "not a comparison"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(rule: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_rule(rule)


def test_a_rule_asks_about_what_is_known_and_does_not_hold_of_what_is_not() -> None:
    rule = read_rule("long and thin: words > 40 and compression < 1.5")
    assert rule.holds({"words": 50, "compression": 1.2})
    assert not rule.holds({"words": 50, "compression": 2})
    assert not rule.holds({"words": 50, "compression": None})


SOUND = {"avg_logprob": -0.2, "arabic_share": 1.0, "words": 100, "doubted": 0.0, "characters_per_second": 14.0}


def test_a_sound_draft_is_kept_and_comes_late() -> None:
    calm = judge(Facts("p", SOUND), CheckConfig())
    assert (calm.decision, calm.reasons) == ("keep", ())
    unsure = judge(Facts("p", {**SOUND, "avg_logprob": -0.9}), CheckConfig())
    assert (unsure.decision, unsure.reasons) == ("review first", ("unsure of the words",))
    assert unsure.priority > calm.priority
    assert unsure.score < calm.score


def test_what_is_rejected_says_why_and_is_nobodys_work() -> None:
    repeated = judge(Facts("p", {**SOUND, "similarity": 0.95}, "o"), CheckConfig())
    assert (repeated.decision, repeated.reasons, repeated.priority) == ("reject", ("said before",), 0.0)
    assert repeated.duplicate_of == "o"


def test_rules_are_the_curators() -> None:
    strict = CheckConfig(reject=("telephone: bandwidth_hz < 4000",), review_first=())
    assert judge(Facts("p", {**SOUND, "bandwidth_hz": 3400.0}), strict).reasons == ("telephone",)
    assert judge(Facts("p", {**SOUND, "doubted": 0.9}), strict).decision == "keep"


@pytest.fixture
def item(tmp_path: Path) -> DraftedPassage:
    with Store.open(drafted_workspace(tmp_path, 1, 1, clips=False)) as store:
        return load_drafted(store, next(find_passages(store)))


def said(item: DraftedPassage, *lines: tuple[str, tuple[str, ...]], summary: str = "خلاصة") -> DraftedPassage:
    made = tuple(
        Line(s.id, text, s.start, s.end, avg_logprob=-0.5, flags=flags)
        for s, (text, flags) in zip(item.segments, lines, strict=True)
    )
    transcript = Transcript(item.id, made, "test")
    told = Summary(item.id, summary, "عنوان", (), True, "test")
    return replace(item, draft=replace(item.draft, transcript=transcript, summary=told))


def test_a_drafts_measures_are_of_what_it_holds(item: DraftedPassage) -> None:
    told = check_draft(
        said(item, ("افتتح الوزير عشرة جسور", ()), ("شكرا على المشاهدة", ("phantom",)), summary="افتتح الوزير 11 جسرا")
    )
    assert told.words == 7
    assert 0 < told.doubted < 0.5
    assert told.unheard == 0
    assert told.unsupported_numbers == ("11",)
    assert told.coverage == pytest.approx(2 / 4)
    assert told.flags == ("phantom",)
    assert told.avg_logprob == -0.5
    assert told.arabic_share == 1.0


def test_a_segment_without_a_word_is_unheard(item: DraftedPassage) -> None:
    told = check_draft(said(item, ("قال الوزير", ()), ("", ("nothing heard",))))
    assert 0.4 < told.unheard < 0.6
    assert check_draft(said(item, ("", ()), ("", ()))).compression_ratio is None


def test_a_whole_workspace_is_judged_at_once_and_again_only_when_something_changed(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path, 2, 3, clips=False)
    with Store.create_or_open(workspace) as store:
        for passage in list(find_passages(store)):
            known = load_drafted(store, passage)
            put_draft(store, replace(known.draft, check=check_draft(known), verdict=None))
        assert judge_drafts(store, CheckConfig()) == 6
        assert judge_drafts(store, CheckConfig()) == 0
        assert len(list(find_passages(store, "decision IS NOT NULL"))) == 6
        repeated = list(find_passages(store, "duplicate_of <> ''"))
        assert judge_drafts(store, CheckConfig(near_duplicate=1.0, reject=())) == 6
        assert repeated == list(find_passages(store, "duplicate_of <> ''")), "hand-made drafts repeat word for word"


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (
            {"reject": ("short: wrods < 3",)},
            "check.reject: 'short: wrods < 3': wrods is not known. Did you mean words?",
        ),
        (
            {"review_first": ("funny: jokes > 3",)},
            "jokes is not known. If a plugin gave it, install that again. A rule",
        ),
        ({"priority_weights": {"jokes": 1.0}}, "check.priority_weights: jokes is not known"),
    ],
)
def test_a_rule_about_what_nobody_measures_stops_a_build_and_names_the_facts(option: dict[str, Any], says: str) -> None:
    with pytest.raises(AramegaError, match=re.escape(says)):
        check_facts(CheckConfig(**option))


def test_a_weighted_fact_moves_a_draft_in_the_annotators_order() -> None:
    plain = judge(Facts("p", {**SOUND, "unheard": 0.4}), CheckConfig(review_first=()))
    weighted = judge(
        Facts("p", {**SOUND, "unheard": 0.4}), CheckConfig(review_first=(), priority_weights={"unheard": 0.25})
    )
    assert weighted.priority == pytest.approx(plain.priority + 0.1)
    most = CheckConfig(review_first=(), priority_weights={"words": 9.0})
    assert judge(Facts("p", SOUND), most).priority == 1.0


def test_a_teams_own_phantoms_and_limit_count_for_what_is_transcribed_already(item: DraftedPassage) -> None:
    length = item.segments[0].seconds
    text = "كنتم مع قناة النور " * 3 + "وهذا كلام كثير يملأ الزمن كله حتى لا يقال إنه ممدود " * 3
    line = Line(item.segments[0].id, text, 0, length, avg_logprob=-0.95)
    seconds = {line.segment: length}
    assert flag_line(line, seconds, CheckConfig(doubt_logprob=-1.0)).flags == ()
    assert flag_line(line, seconds, CheckConfig()).flags == ("unsure",)
    own = CheckConfig(phantoms=("كلام كثير يملأ الزمن كله حتى لا يقال إنه ممدود", "  "))
    assert flag_line(line, seconds, own).flags == ("phantom", "unsure")


def test_a_line_of_few_letters_and_an_unsure_recognizer_is_drawn_out() -> None:
    assert is_drawn_out("سنقرونكم اليوم", 15.0, -0.8)
    assert not is_drawn_out("سنقرونكم اليوم", 15.0, -0.3)
    assert not is_drawn_out("سنقرونكم اليوم", 2.0, -0.8)
    assert not is_drawn_out("سنقرونكم اليوم", 15.0, None)
