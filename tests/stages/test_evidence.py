"""Evidence: what a summary's sentences rest on, and what in them was not said so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.labelstudio.tasks import describe_evidence
from aramega.records import Draft, Summary
from aramega.stages.check.evidence import carrying_segments, find_doubts, find_evidence
from aramega.stages.check.stage import check_draft
from aramega.text.arabic_names import find_name_words
from aramega.text.polarity import contrary_of
from tests.stages.test_summarize import a_passage_that_says

LINES = (
    "أعلن وزير الصحة أحمد بن سالم الحارثي افتتاح 3 مستشفيات جديدة في مدينة مسقط",
    "وارتفع عدد الأطباء العاملين فيها بنسبة 12 في المئة",
    "ولم تشمل الخطة المراكز الصحية الصغيرة في الريف",
    "وبدأ العمل في المستشفيات قبل عامين",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "افتتاح ثلاثة مستشفيات جديدة في مسقط.",
        "ارتفع عدد الأطباء بنسبة 12%.",
        "لم تشمل الخطة المراكز الصغيرة.",
        "أعلن الوزير أحمد الحارثي افتتاح المستشفيات.",
        *LINES,
    ],
)
def test_what_was_said_raises_no_doubt(sentence: str) -> None:
    assert find_doubts(sentence, LINES) == {}


@pytest.mark.parametrize(
    ("sentence", "kind", "words"),
    [
        ("افتتاح 4 مستشفيات جديدة في مسقط", "number", ("4",)),
        ("أعلن وزير الصحة خالد بن سالم الحارثي افتتاح 3 مستشفيات", "name", ("خالد",)),
        ("افتتاح 3 مستشفيات جديدة في مدينة صلالة", "name", ("صلالة",)),
        ("وشملت الخطة المراكز الصحية الصغيرة في الريف", "negation", ("وشملت",)),
        ("ولم يبدأ العمل في المستشفيات قبل عامين", "negation", ("العمل",)),
        ("وانخفض عدد الأطباء العاملين فيها", "direction", ("وانخفض",)),
        ("وبدأ العمل في المستشفيات بعد عامين", "direction", ("بعد",)),
    ],
)
def test_what_was_not_said_so_is_named_by_kind(sentence: str, kind: str, words: tuple[str, ...]) -> None:
    assert find_doubts(sentence, LINES)[kind] == words


def test_a_sentence_of_another_story_is_foreign() -> None:
    assert "foreign" in find_doubts("فاز المنتخب على ضيفه في المباراة النهائية", LINES)


def test_a_name_shows_itself_by_title_patronymic_and_place() -> None:
    assert find_name_words("قال الدكتور سمير الخطيب إن ليلى ابنة راشد سافرت إلى بغداد".split()) == [
        *("سمير", "الخطيب", "ليلى", "راشد", "بغداد"),
    ]
    assert find_name_words("اجتمع وزير الصحة اليوم".split()) == []
    assert find_name_words("تحدثت زينب هنا".split(), own=["زينب"]) == ["زينب"]


def test_a_word_of_direction_has_a_contrary_and_others_none() -> None:
    assert contrary_of(contrary_of("ارتفعت"))
    assert contrary_of("كتاب") == ""


@given(st.lists(st.text("ابتلمنوقهر ال.0٣", max_size=30), max_size=5), st.text("ابتلمنوقهر ال.0٣لم", max_size=60))
def test_anything_can_be_weighed(lines: list[str], sentence: str) -> None:
    find_doubts(sentence, lines)


def test_a_summary_has_the_segments_of_each_sentence_and_the_annotator_is_told_when_to_listen() -> None:
    item = a_passage_that_says(*LINES)
    text = "افتتاح 3 مستشفيات جديدة في مسقط. لم يبدأ العمل قبل عامين."
    item = replace(item, draft=Draft(item.draft.transcript, Summary(item.id, text, "", (), True, "test")))
    first, second = find_evidence(item)
    assert first.segments == (item.segments[0].id,)
    assert second.segments == (item.segments[3].id,)
    assert second.doubts == ("negation: العمل",)
    check = check_draft(item)
    assert (check.evidence, check.contradictions, check.support) == ((first, second), 1, second.share)
    assert carrying_segments(text, item.draft.transcript.lines if item.draft.transcript else ()) == (
        first.segments,
        second.segments,
    )
    told = describe_evidence(replace(item, draft=replace(item.draft, check=check)))
    assert "«افتتاح 3 مستشفيات جديدة في…»: 0:00–0:09" in told
    assert "«لم يبدأ العمل قبل عامين.…»: 0:30–0:39 (نفي لم يُقل أو سقط)" in told
