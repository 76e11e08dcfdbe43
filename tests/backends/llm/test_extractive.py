"""Summaries without a model: sentences are whole, few, in order and central."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.config.summarize import EXTRACTIVE_METHOD
from aramega.text import words
from aramega.text.extractive import centrality, extract, method, similarities
from aramega.text.formulas import Formulas
from aramega.text.keyphrases import find_title, find_topics, is_function_word, stem, tokens, word_weights
from aramega.text.nouns import carries_pronoun
from aramega.text.spoken_sentences import find_sentences

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


def test_a_pause_inside_a_sentence_is_no_full_stop() -> None:
    lines = ["أعلن اليوم وزير", "الصحة افتتاح ثلاثة", "مستشفيات جديدة في العاصمة", "وقال إن العمل بدأ", "قبل عامين"]
    assert find_sentences(lines) == [
        "أعلن اليوم وزير الصحة افتتاح ثلاثة مستشفيات جديدة في العاصمة",
        "وقال إن العمل بدأ قبل عامين",
    ]


OPENING = "بسم الله الرحمن الرحيم. الحمد لله رب العالمين والصلاة والسلام على أشرف الأنبياء والمرسلين. أما بعد"


def test_formulas_are_no_content_and_are_cut_from_the_ends_of_a_sentence() -> None:
    found = extract([f"{OPENING} فإن الصيام يعلم الإنسان الصبر على الجوع والعطش"], **LIMITS)
    assert found.text == "فإن الصيام يعلم الإنسان الصبر على الجوع والعطش."
    assert "الله" not in found.title + " ".join(found.topics)


def test_a_passage_of_nothing_but_formulas_has_nothing_to_summarize() -> None:
    found = extract(OPENING.split(". "), **LIMITS)
    assert (found.text, found.title, found.topics) == ("", "", ())


def test_a_formula_is_known_with_a_letter_misheard() -> None:
    assert Formulas.with_own().drop_from("الحمد لله رب العلمين وبعد درسنا".split()) == ["وبعد", "درسنا"]


def test_a_team_adds_formulas_of_its_own() -> None:
    lines = ["كنتم مع نشرة الظهيرة من قناة النور", "افتتحت الوزارة ثلاثة مستشفيات في العاصمة أمس"]
    assert "النور" in extract(lines[:1], **LIMITS).text
    assert "النور" not in extract(lines, **LIMITS, formulas=("كنتم مع نشرة الظهيرة من قناة النور",)).text


def test_a_summary_says_nothing_twice() -> None:
    lines = [STORY[0], STORY[0].replace("اليوم", "أمس"), *STORY[2:]]
    assert extract(lines, **LIMITS).text == STORY[0]


def test_nothing_said_gives_nothing() -> None:
    found = extract(["", " ", "..."], **LIMITS)
    assert (found.text, found.title, found.topics) == ("", "", ())


@given(st.lists(arabic, max_size=8), st.integers(1, 3))
def test_what_is_picked_is_the_transcripts_own_words_within_the_limits(lines: list[str], most: int) -> None:
    found = extract(lines, max_sentences=most, max_words=40, max_topics=3)
    content = [word for unit in find_sentences(lines) for word in Formulas.with_own().drop_from(words(unit))]
    assert bool(found.text) == bool(content)
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


def test_topics_carry_no_pronoun_and_are_no_verbs() -> None:
    topics = find_topics(["يجوز للمرأة استماعها إلى القرآن في بيتها", "ويجوز استماعها في المسجد الكبير"], 5)
    assert topics
    assert not any(carries_pronoun(word) or word.startswith("يجوز") for topic in topics for word in topic.split())


@pytest.mark.parametrize("word", ["استماعها", "كتابه", "مشاكلكم", "أنفسهم", "بلادنا"])
def test_a_pronoun_at_a_words_end_is_seen(word: str) -> None:
    assert carries_pronoun(word)


@pytest.mark.parametrize("word", ["لبنان", "الله", "وجه", "المحاكم", "سيناء", "القضاة", "تفاهم", "مياه"])
def test_a_word_that_only_ends_like_a_pronoun_carries_none(word: str) -> None:
    assert not carries_pronoun(word)


def test_a_short_sentence_is_its_own_title_and_a_long_one_gives_three_to_seven_words() -> None:
    weights = word_weights(STORY)
    assert find_title(["فوز المنتخب الوطني."], weights) == "فوز المنتخب الوطني"
    assert 3 <= len(find_title([STORY[1]], weights).split()) <= 7
    assert find_title(["يجوز", "وزارة الصحة", "افتتاح المستشفى الجديد"], weights) == "افتتاح المستشفى الجديد"
    assert find_title(["يجوز"], weights) == ""


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
    assert method() == f"extractive:{EXTRACTIVE_METHOD} ({whose})"
