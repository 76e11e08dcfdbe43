"""A model that hears: what is sent to it, what counts as its answer, and what stays as it was for all others."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from pydantic import ValidationError

from aramega.backends.llm import Message, Request
from aramega.backends.llm.answers import Limits, read_heard
from aramega.backends.llm.dialects import Dialect
from aramega.backends.llm.estimates import request_tokens
from aramega.backends.llm.journal import request_hash
from aramega.config.summarize import SummarizeConfig

ENDPOINT = "openai:mine@http://127.0.0.1:8010/v1"
TEXT = Request((Message("system", "قواعد"), Message("user", "سؤال")), "{}", 100)
HEARD = Request(TEXT.messages, "{}", 100, clip="clips/ab/abc/p.flac", seconds=60.0)


def test_sound_goes_with_the_users_first_words():
    body = Dialect().body(HEARD, "mine", 0.0, sound=b"RIFF")
    sound, words = body["messages"][1]["content"]
    assert base64.b64decode(sound["input_audio"]["data"]) == b"RIFF"
    assert words == {"type": "text", "text": "سؤال"}
    assert body["messages"][0]["content"] == "قواعد"


def test_a_question_in_text_keeps_the_hash_that_earlier_answers_are_kept_under():
    messages = [{"role": m.role, "content": m.content} for m in TEXT.messages]
    asked = json.dumps(
        ["m", 0.0, {"messages": messages, "schema": "{}", "max_tokens": 100}], ensure_ascii=False, sort_keys=True
    )
    assert request_hash(TEXT, "m", 0.0) == hashlib.sha256(asked.encode()).hexdigest()
    assert request_hash(HEARD, "m", 0.0) != request_hash(TEXT, "m", 0.0)


def test_sound_counts_in_the_estimate():
    assert request_tokens(HEARD, 2.0) == request_tokens(TEXT, 2.0) + 1500


@pytest.mark.parametrize(
    "answer", ["افتتحت الوزارة مستشفى.", '{"summary": "افتتحت الوزارة مستشفى.", "title": "خبر", "topics": []}']
)
def test_a_bare_summary_and_an_object_are_both_answers(answer):
    assert read_heard(answer, Limits(3, 90)).summary == "افتتحت الوزارة مستشفى."


@pytest.mark.parametrize("answer", ["", "an English answer", "كلمة " * 200])
def test_a_bare_summary_is_checked_as_any_other(answer):
    with pytest.raises(ValueError):
        read_heard(answer, Limits(3, 90))


def test_only_an_endpoint_can_be_sent_sound():
    with pytest.raises(ValidationError, match=r"recipes\.serve"):
        SummarizeConfig(hears=True)
    assert SummarizeConfig(backend=ENDPOINT, hears=True).deciding()["prompt"].startswith("hear@1#")


def test_summaries_of_models_that_read_are_not_made_again_for_an_option_they_do_not_have():
    assert "hears" not in SummarizeConfig(backend=ENDPOINT).deciding()
