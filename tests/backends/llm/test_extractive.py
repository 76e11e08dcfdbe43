"""Summaries without a model: sentences are whole, few, in order and central."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.text import words
from aramega.text.extractive import centrality, extract, find_sentences, method, similarities
from aramega.text.keyphrases import find_title, find_topics, is_function_word, stem, tokens, word_weights

STORY = (
    "أعلنت وزارة الصحة اليوم افتتاح ثلاثة مستشفيات جديدة.",
    "وقال وزير الصحة إن المستشفيات الجديدة تخدم مليون مواطن.",
    "وشكر الحضور الفريق.",
    "وتضم المستشفيات الثلاثة ألف سرير.",
)
LIMITS = {"max_sentences": 3, "max_words": 90, "max_topics": 5}

arabic = st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهوية .؟،!abc٣", max_size=80)


def test_the_sentences_that_say_what_the_others_say_are_picked_in_their_order() -> None:
    found = extract(STORY, **LIMITS)
    assert found.text == f"{STORY[0]} {STORY[1]}"


def test_the_odd_sentence_out_is_the_least_central() -> None:
    assert int(np.argmin(centrality(similarities(STORY)))) == 2


def test_a_short_passage_gets_one_sentence() -> None:
    assert extract(STORY[:2], **LIMITS).text == STORY[0]


def test_a_transcript_without_marks_falls_apart_at_its_lines() -> None:
    lines = ["أعلنت الوزارة عن مشروع جديد", "وقال الوزير إن المشروع كبير", "وفاز المنتخب في المباراة"]
    assert find_sentences(lines) == lines


def test_a_sentence_may_go_on_over_the_end_of_a_line() -> None:
    assert find_sentences(["قال الوزير إن", "العمل بدأ. ثم انصرف."]) == ["قال الوزير إن العمل بدأ.", "ثم انصرف."]


def test_a_line_that_is_picked_without_a_mark_gets_a_full_stop() -> None:
    assert extract(["أعلنت الوزارة عن مشروع جديد"], **LIMITS).text == "أعلنت الوزارة عن مشروع جديد."


def test_nothing_said_gives_nothing() -> None:
    found = extract(["", " ", "..."], **LIMITS)
    assert (found.text, found.title, found.topics) == ("", "", ())


@given(st.lists(arabic, max_size=8), st.integers(1, 3))
def test_what_is_picked_is_the_transcripts_own_words_within_the_limits(lines: list[str], most: int) -> None:
    found = extract(lines, max_sentences=most, max_words=40, max_topics=3)
    units = find_sentences(lines)
    assert bool(found.text) == bool(units)
    picked = [unit for unit in units if unit.rstrip("،, ") in found.text]
    assert not units or picked
    said = words(" ".join(lines))
    for word in words(found.text) + words(found.title) + [w for topic in found.topics for w in topic.split()]:
        assert word in said or any(word in other for other in said)
    assert len(found.topics) <= 3


@given(st.lists(arabic, min_size=1, max_size=8))
def test_centrality_is_a_share_and_adds_up_to_one(lines: list[str]) -> None:
    units = find_sentences(lines)
    if units:
        ranks = centrality(similarities(units))
        assert ranks.sum() == pytest.approx(1)
        assert (ranks > 0).all()


@given(st.lists(arabic, max_size=8))
def test_sentences_lose_no_word_and_keep_their_order(lines: list[str]) -> None:
    assert words(" ".join(find_sentences(lines))) == words(" ".join(lines))


def test_topics_are_no_function_words_and_share_no_word() -> None:
    topics = find_topics(STORY, 5)
    assert topics[0] == "المستشفيات الجديدة"
    assert not any(is_function_word(word) for topic in topics for word in topic.split())
    stems = [{stem(word) for word in topic.split()} for topic in topics]
    assert all(not a & b for a, b in pairwise(stems))


def test_a_short_sentence_is_its_own_title_and_a_long_one_gives_six_words_at_most() -> None:
    weights = word_weights(STORY)
    assert find_title("فوز المنتخب الوطني.", weights) == "فوز المنتخب الوطني"
    assert len(find_title(STORY[1], weights).split()) <= 6


def test_forms_of_a_word_count_as_one() -> None:
    assert stem("الوزارة") == stem("وزارة") == stem("والوزارات") == stem("للوزارة")


def test_tokens_are_words_whoever_splits_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from aramega.text import keyphrases

    text = "قال: إن COVID-19 انتهى، اليوم!"
    assert tokens(text) == ["قال", "إن", "COVID", "19", "انتهى", "اليوم"]
    monkeypatch.setattr(keyphrases, "_tokenizer", lambda: words)
    assert tokens(text) == ["قال", "إن", "COVID", "19", "انتهى", "اليوم"]


@pytest.mark.parametrize(("there", "whose"), [(True, "camel-tools"), (False, "aramega.text")])
def test_the_provenance_says_it_is_extractive_and_whose_tokens_it_counted(
    monkeypatch: pytest.MonkeyPatch, there: bool, whose: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there or None)
    assert method() == f"extractive:lexrank@1 ({whose})"
