"""What is done about a request that failed, and what is said of it."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.backends.llm import Message, Reply, Request
from aramega.backends.llm.dialects import Dialect, NoChat, read_completion
from aramega.backends.llm.troubles import LONGEST_WAIT, asked_wait, scrub, wait_before

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "x"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds


@given(st.integers(0, 30), st.randoms(use_true_random=False))
def test_waits_double_with_full_jitter_up_to_a_minute(attempt: int, rng: random.Random) -> None:
    assert 0 <= wait_before(attempt, None, rng) <= min(LONGEST_WAIT, 2**attempt)


@given(st.floats(0, 300), st.randoms(use_true_random=False))
def test_a_server_is_never_asked_before_it_said(asked_for: float, rng: random.Random) -> None:
    assert asked_for <= wait_before(0, asked_for, rng) <= asked_for + 1


@pytest.mark.parametrize(
    "told",
    ["Incorrect API key provided: my-secret-1.", "Authorization: Bearer my-secret-1", "sk-proj-abc***wxyz is no key"],
)
def test_a_key_is_scrubbed_from_whatever_a_server_says(told: str) -> None:
    said = scrub(told, "my-secret-1")
    assert "my-secret" not in said
    assert "wxyz" not in said
    assert "***" in said


def test_a_long_answer_is_cut_and_laid_on_one_line() -> None:
    said = scrub("trace\n" * 100, "")
    assert "\n" not in said
    assert len(said) <= 201


REQUEST = Request((Message("user", "نص"),), '{"type": "object"}', 50)


def test_a_request_begins_with_all_that_the_protocol_has() -> None:
    said = Dialect().body(REQUEST, "m", 0.0)
    assert said["max_tokens"] == 50
    assert said["temperature"] == 0.0
    assert said["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": {"type": "object"}}


@pytest.mark.parametrize(
    ("refusal", "simpler"),
    [
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            Dialect(limit="max_completion_tokens"),
        ),
        ("Unsupported value: 'temperature' does not support 0", Dialect(temperature=False)),
        ("response_format is not supported", Dialect(format="json_object")),
        ("bad request", Dialect(format="json_object")),
    ],
)
def test_what_a_refusal_names_is_left_out_or_else_the_format(refusal: str, simpler: Dialect) -> None:
    assert Dialect().simpler(refusal) == simpler


@given(st.lists(st.sampled_from(["max_completion_tokens", "temperature", "format"]), min_size=6, max_size=6))
def test_leaving_out_comes_to_an_end(refusals: list[str]) -> None:
    dialect: Dialect | None = Dialect()
    for refusal in refusals:
        dialect = dialect.simpler(refusal) if dialect else None
    assert dialect is None or dialect.simpler("format") is None


def a_completion(content: Any, finish: str = "stop", **usage: Any) -> SimpleNamespace:
    choice = SimpleNamespace(message=SimpleNamespace(content=content), finish_reason=finish)
    return SimpleNamespace(choices=[choice], usage=SimpleNamespace(**usage) if usage else None)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (a_completion("نعم", prompt_tokens=7, completion_tokens=2), Reply("نعم", 7, 2)),
        (a_completion("نعم", "length", prompt_tokens=7, completion_tokens=2), Reply("نعم", 7, 2, cut_off=True)),
        (a_completion(None), Reply("", 0, 0)),
        (a_completion("نعم", prompt_tokens=None), Reply("نعم", 0, 0)),
        (a_completion([{"type": "text", "text": "نعم"}, {"type": "text", "text": "!"}, 3]), Reply("نعم!", 0, 0)),
    ],
)
def test_a_completion_is_read_whatever_it_leaves_out(answer: Any, reply: Reply) -> None:
    assert read_completion(answer) == reply


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("<html>login</html>", "HTML"),
        ("pong", "no choices"),
        (SimpleNamespace(choices=[]), "no choices"),
        (SimpleNamespace(choices=None), "no choices"),
        (SimpleNamespace(choices=[None]), "no choices"),
        (SimpleNamespace(choices=[SimpleNamespace(message=None)]), "no choices"),
    ],
)
def test_what_is_no_completion_is_said_to_be_none(answer: Any, what: str) -> None:
    with pytest.raises(NoChat, match=what):
        read_completion(answer)


def test_a_request_said_otherwise_has_another_key() -> None:
    """A server that heeds keys refuses one that comes again with another body."""
    assert Dialect().mark == ""
    others = [Dialect(format=""), Dialect(limit="max_completion_tokens"), Dialect(temperature=False)]
    assert len({other.mark for other in others}) == 3
