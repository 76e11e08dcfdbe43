"""Answers: JSON out of whatever a model wrote around it, checked before anyone relies on it.

A checked answer is Arabic, not empty, and within the limits the prompt named. What is wrong with another is said
in a sentence that the model is sent and, if it does no better, the curator reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator

from aramega.text import arabic_share, clean, sentences, words

A = TypeVar("A", bound=BaseModel)

LEAST_ARABIC = 0.5
"""Of an answer's letters. Names in Latin letters are left as they are; a summary in English has a share of 0."""
MAX_TITLE_WORDS = 15

_THOUGHTS = re.compile(r"^.*</think>", re.DOTALL)


@dataclass(frozen=True)
class Limits:
    """How long a summary may be."""

    max_sentences: int
    max_words: int
    max_topics: int = 5


class SummaryAnswer(BaseModel):
    """What is asked for a passage."""

    summary: str = Field(description="1-3 sentences in Arabic")
    title: str
    topics: list[str]

    @field_validator("topics", mode="before")
    @classmethod
    def _one_line_of_topics(cls, topics: Any) -> Any:
        """Small models give a list as one string."""
        return re.split("[،,؛;\n]", topics) if isinstance(topics, str) else topics


class ChapterAnswer(BaseModel):
    first: int
    title: str


class OverviewAnswer(BaseModel):
    """What is asked for a recording."""

    summary: str
    chapters: list[ChapterAnswer]


@cache
def answer_schema(kind: type[BaseModel]) -> str:
    """The JSON schema of an answer, as strict servers want it: every key required, no other allowed."""
    return json.dumps(_strict(kind.model_json_schema()), ensure_ascii=False, sort_keys=True)


def read_summary(text: str, limits: Limits) -> SummaryAnswer:
    """The checked answer for a passage; ValueError says what is wrong with it."""
    answer = parse_answer(text, SummaryAnswer)
    topics = list(dict.fromkeys(topic for topic in map(clean, answer.topics) if topic))
    return SummaryAnswer(
        summary=checked_summary(answer.summary, limits),
        title=checked_title(answer.title),
        topics=topics[: limits.max_topics],
    )


def read_heard(text: str, limits: Limits) -> SummaryAnswer:
    """The checked answer of a model that heard the passage. One that was fine-tuned on summaries writes just that."""
    if "{" in text:
        return read_summary(text, limits)
    return SummaryAnswer(summary=checked_summary(_THOUGHTS.sub("", text), limits), title="", topics=[])


def read_overview(passages: int, max_chapters: int) -> Callable[[str, Limits], OverviewAnswer]:
    """A reader of the answer for a recording of so many passages."""

    def read(text: str, limits: Limits) -> OverviewAnswer:
        answer = parse_answer(text, OverviewAnswer)
        firsts = [chapter.first for chapter in answer.chapters]
        if not firsts or firsts[0] != 1:
            raise ValueError("the first chapter must begin with passage 1")
        if firsts != sorted(set(firsts)) or firsts[-1] > passages:
            raise ValueError(f"chapters must begin with passages in rising order, from 1 to {passages}; found {firsts}")
        if len(firsts) > max_chapters:
            raise ValueError(f"{len(firsts)} chapters, where {max_chapters} is the most")
        chapters = [ChapterAnswer(first=c.first, title=checked_title(c.title)) for c in answer.chapters]
        return OverviewAnswer(summary=checked_summary(answer.summary, limits), chapters=chapters)

    return read


def parse_answer(text: str, kind: type[A]) -> A:
    """The JSON object in a model's answer: bare, fenced, or after its thoughts and a few words."""
    text = _THOUGHTS.sub("", text)
    if not text.strip():
        raise ValueError("the answer is empty")
    start = text.find("{")
    if start < 0:
        raise ValueError("there is no JSON object in the answer")
    try:
        values, _ = json.JSONDecoder(strict=False).raw_decode(text[start:])
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer is not valid JSON: {error.msg} at character {start + error.pos}") from None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(str(part) for part in wrong["loc"])
        raise ValueError(f"`{where}` in the JSON: {wrong['msg'][0].lower()}{wrong['msg'][1:]}") from None


def checked_summary(text: str, limits: Limits) -> str:
    text = clean(text)
    if not words(text):
        raise ValueError("the summary is empty")
    if (share := arabic_share(text)) < LEAST_ARABIC:
        raise ValueError(f"the summary is not in Arabic: {share:.0%} of its letters are")
    if (count := count_sentences(text)) > limits.max_sentences:
        raise ValueError(f"the summary has {count} sentences, where {limits.max_sentences} is the most")
    if (length := len(words(text))) > limits.max_words:
        raise ValueError(f"the summary has {length} words, where {limits.max_words} is the most")
    return text


def checked_title(text: str) -> str:
    text = clean(text).strip(" .:،\"«»'")
    if not words(text):
        raise ValueError("the title is empty")
    if (share := arabic_share(text)) < LEAST_ARABIC:
        raise ValueError(f"the title is not in Arabic: {share:.0%} of its letters are")
    if (length := len(words(text))) > MAX_TITLE_WORDS:
        raise ValueError(f"the title has {length} words, where {MAX_TITLE_WORDS} is the most")
    return text


def count_sentences(text: str) -> int:
    """Sentences as a reader counts them: a semicolon parts a transcript, not a written summary."""
    return len(sentences(text.replace("؛", "،")))


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    keywords = {
        key: _strict(value)
        for key, value in schema.items()
        if key not in ("title", "description") or isinstance(value, dict)
    }
    if keywords.get("type") == "object":
        keywords |= {"additionalProperties": False, "required": list(keywords["properties"])}
    return keywords
