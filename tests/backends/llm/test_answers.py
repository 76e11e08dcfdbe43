"""Answers: what is taken, out of what, and what is sent back."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.backends.llm import InvalidAnswer, Message, Reply, Request
from aramega.backends.llm.answers import (
    Limits,
    OverviewAnswer,
    SummaryAnswer,
    answer_schema,
    read_overview,
    read_summary,
)
from aramega.backends.llm.talks import Bill, ask

LIMITS = Limits(max_sentences=3, max_words=30, max_topics=2)
GOOD = {"summary": "افتتحت الوزارة ثلاثة مستشفيات.", "title": "مستشفيات جديدة", "topics": ["الصحة", "العاصمة", "الصحة"]}


def told(**changes: object) -> str:
    return json.dumps({**GOOD, **changes}, ensure_ascii=False)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "```json\n{}\n```",
        "```\n{}\n```",
        "إليك الملخص:\n{}\nهل من شيء آخر؟",
        "<think>المستخدم يريد {{ملخصًا}}</think>\n{}",
    ],
)
def test_the_json_is_found_whatever_stands_around_it(around: str) -> None:
    answer = read_summary(around.replace("{{", "{").replace("}}", "}").replace("{}", told()), LIMITS)
    assert answer == SummaryAnswer(summary=GOOD["summary"], title=GOOD["title"], topics=["الصحة", "العاصمة"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the answer is empty"),
        ("لا أستطيع", "there is no JSON object"),
        ('{"summary": ', "not valid JSON"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"summary": "نص"}', "`title` in the JSON: field required"),
        ('{"summary": 5, "title": "نص", "topics": []}', "`summary` in the JSON"),
        (told(summary=" \u200f. "), "the summary is empty"),
        (told(summary="The ministry opened three hospitals."), "the summary is not in Arabic: 0% of its letters are"),
        (told(title="Three new hospitals"), "the title is not in Arabic"),
        (told(title="«»"), "the title is empty"),
        (told(title="كلمة " * 16), "the title has 16 words, where 15 is the most"),
        (told(summary="جملة أولى. جملة ثانية. جملة ثالثة. جملة رابعة."), "4 sentences, where 3 is the most"),
        (told(summary="كلمة " * 31), "31 words, where 30 is the most"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_summary(text, LIMITS)


def test_names_in_latin_letters_are_left_alone_in_an_arabic_summary() -> None:
    text = "أعلنت شركة OpenAI عن نموذج GPT جديد في مؤتمر بباريس."
    assert read_summary(told(summary=text), LIMITS).summary == text


def test_direction_marks_and_tatweel_are_cleaned_from_what_is_taken() -> None:
    assert read_summary(told(title="\u202bمستـــشفيات\u202c"), LIMITS).title == "مستشفيات"


def test_topics_on_one_line_are_told_apart() -> None:
    assert read_summary(told(topics="الصحة، العاصمة"), LIMITS).topics == ["الصحة", "العاصمة"]


@given(st.text(max_size=300))
def test_whatever_a_model_says_is_taken_or_complained_of(text: str) -> None:
    with contextlib.suppress(ValueError):
        answer = read_summary(text, LIMITS)
        assert answer.summary
        assert answer.title


def test_a_schema_asks_for_every_key_and_allows_no_other() -> None:
    schema = json.loads(answer_schema(SummaryAnswer))
    assert schema["required"] == ["summary", "title", "topics"]
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {"summary", "title", "topics"}
    chapter = json.loads(answer_schema(OverviewAnswer))["$defs"]["ChapterAnswer"]
    assert chapter["required"] == ["first", "title"]


@pytest.mark.parametrize(
    ("firsts", "complaint"),
    [
        ([], "must begin with passage 1"),
        ([2, 3], "must begin with passage 1"),
        ([1, 3, 2], "in rising order"),
        ([1, 9], "from 1 to 5"),
        ([1, 1], "in rising order"),
        ([1, 2, 3, 4], "4 chapters, where 3 is the most"),
    ],
)
def test_chapters_begin_at_the_first_passage_and_go_forward(firsts: list[int], complaint: str) -> None:
    chapters = [{"first": first, "title": "عنوان"} for first in firsts]
    text = json.dumps({"summary": "ملخص قصير.", "chapters": chapters}, ensure_ascii=False)
    with pytest.raises(ValueError, match=complaint):
        read_overview(passages=5, max_chapters=3)(text, LIMITS)


QUESTION = Request((Message("system", "قواعد"), Message("user", "نص")), "{}", 100)


def talk_to(*answers: Reply) -> tuple[list[Request], object, Bill]:
    """What is asked in a talk about one question, and its end, if these are the answers."""
    bill, asked = Bill(), []
    talk = ask([QUESTION], lambda text: read_summary(text, LIMITS), lambda error: f"خطأ: {error}", bill)
    requests = next(talk)
    for answer in answers:
        asked += requests
        try:
            requests = talk.send([answer])
        except StopIteration as end:
            return asked, end.value, bill
        except InvalidAnswer as invalid:
            return asked, invalid, bill
    raise AssertionError("the talk did not end")


def test_a_bad_answer_is_sent_back_once_with_what_is_wrong() -> None:
    asked, end, bill = talk_to(Reply("Sorry", 10, 2), Reply(told(), 20, 5))
    assert isinstance(end, list)
    assert [m.role for m in asked[1].messages] == ["system", "user", "assistant", "user"]
    assert asked[1].messages[2].content == "Sorry"
    assert asked[1].messages[3].content == "خطأ: there is no JSON object in the answer"
    assert bill == Bill(requests=2, prompt_tokens=30, completion_tokens=7)


def test_a_second_bad_answer_is_the_end() -> None:
    _, end, bill = talk_to(Reply("Sorry", 10, 2), Reply(told(summary="In English."), 20, 5))
    assert str(end) == (
        "the model's answer was not accepted, nor its second: the summary is not in Arabic: 0% of its letters are."
    )
    assert bill.requests == 2


def test_an_answer_that_was_cut_off_is_said_to_be() -> None:
    asked, *_ = talk_to(Reply('{"summary": "نص', 10, 100, cut_off=True), Reply(told(), 10, 50))
    assert asked[1].messages[3].content == "خطأ: the answer was cut off after 100 tokens"


def test_an_answer_that_runs_on_is_not_sent_back_whole() -> None:
    asked, *_ = talk_to(Reply("كلام " * 10_000, 10, 100), Reply(told(), 10, 50))
    assert len(asked[1].messages[2].content) == 2000
