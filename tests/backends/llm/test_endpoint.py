"""An endpoint, through the real `openai` client and a real HTTP server that misbehaves."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from aramega.backends.llm import Message, Reply, Request, Talk, troubles
from aramega.backends.llm.endpoint import Endpoint
from aramega.backends.llm.journal import Spent, spent_so_far
from aramega.config.summarize import SummarizeConfig
from aramega.records import AramegaError, NotNow
from tests.support.chat_server import ChatServer, Refusal, chat_server

KEY = "my-secret-key-1"


@pytest.fixture(autouse=True)
def _no_time_to_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "FIRST_WAIT", 0.001)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def echo(messages: list[dict[str, str]]) -> str:
    return f"said: {messages[-1]['content']}"


def question(text: str = "نص") -> Request:
    return Request((Message("system", "قواعد"), Message("user", text)), '{"type": "object"}', 50)


def single(text: str = "نص") -> Talk[str]:
    """A talk of one question, that is its answer."""
    (reply,) = yield [question(text)]
    return reply.text


@contextmanager
def endpoint(url: str, folder: Path, **options: Any) -> Iterator[Endpoint]:
    model = Endpoint(SummarizeConfig(backend=f"openai:m@{url}", **options), folder / "answers.db")
    model.load()
    with closing(model):
        yield model


def hold(server: ChatServer, folder: Path, talks: Sequence[Talk[Any]], **options: Any) -> list[Any]:
    with endpoint(server.url, folder, **options) as model:
        return model.hold(talks)


def test_every_talk_gets_its_own_answer_in_order(tmp_path: Path) -> None:
    with chat_server(echo) as server:
        ends = hold(server, tmp_path, [single(f"سؤال {i}") for i in range(40)])
    assert ends == [f"said: سؤال {i}" for i in range(40)]


def test_no_more_are_asked_at_once_than_allowed_and_no_fewer(tmp_path: Path) -> None:
    with chat_server(echo, latency=0.05) as server:
        hold(server, tmp_path, [single(str(i)) for i in range(20)], concurrency=5)
        assert server.most_at_once == 5


def test_a_talk_may_ask_several_things_at_once(tmp_path: Path) -> None:
    def talk() -> Talk[list[Reply]]:
        replies = yield [question("أ"), question("ب")]
        return list(replies)

    with chat_server(echo) as server:
        (replies,) = hold(server, tmp_path, [talk()])
    assert [reply.text for reply in replies] == ["said: أ", "said: ب"]


@pytest.mark.parametrize("trouble", [429, 500, 502, 503, 529, 408, "reset", "html", "json", "broken"])
def test_what_passes_by_itself_is_asked_again_under_the_same_key(tmp_path: Path, trouble: int | str) -> None:
    with chat_server(echo, script=[trouble, trouble]) as server:
        assert hold(server, tmp_path, [single()]) == ["said: نص"]
        assert len(server.requests) == 3
        assert len(set(server.idempotency_keys)) == 1
        assert server.idempotency_keys[0].startswith("aramega-")


@pytest.mark.parametrize("trouble", ["hang", "drip"])
def test_a_server_that_hangs_or_drips_is_not_waited_for_longer_than_said(tmp_path: Path, trouble: str) -> None:
    with chat_server(echo, script=[trouble]) as server:
        assert hold(server, tmp_path, [single()], timeout=2) == ["said: نص"]


def test_a_request_that_times_out_is_not_paid_for_again_and_again(tmp_path: Path) -> None:
    with chat_server(echo, script=["hang"] * 9) as server:
        (end,) = hold(server, tmp_path, [single()], timeout=1)
        assert len(server.requests) == 3
    assert str(end) == f"{server.url} did not answer in time (summarize.timeout), 3 times."


def test_a_server_is_given_the_time_it_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    kept = troubles.wait_before

    def note_wait(attempt: int, asked_for: float | None, rng: Any) -> float:
        waits.append(asked_for or 0.0)
        return kept(attempt, asked_for, rng) * 0.01

    monkeypatch.setattr("aramega.backends.llm.endpoint.wait_before", note_wait)
    busy = Refusal(429, headers={"Retry-After": "0.2"})
    with chat_server(echo, script=[busy]) as server:
        assert hold(server, tmp_path, [single()]) == ["said: نص"]
    assert waits == [0.2]


def test_a_request_that_always_fails_fails_alone(tmp_path: Path) -> None:
    def refuse(body: dict[str, Any]) -> Refusal | None:
        return Refusal(500, "out of luck") if body["messages"][-1]["content"] == "13" else None

    with chat_server(echo, refuse=refuse) as server:
        ends = hold(server, tmp_path, [single(str(i)) for i in range(20)], retries=2)
    assert [str(i) for i, end in enumerate(ends) if isinstance(end, Exception)] == ["13"]
    assert str(ends[13]) == f"{server.url} failed (500: out of luck), 3 times."
    assert not isinstance(ends[13], NotNow)


def test_a_request_that_is_not_taken_fails_at_once_in_the_servers_words(tmp_path: Path) -> None:
    too_long = Refusal(400, "This model's maximum context length is 2048 tokens.")
    with chat_server(echo, refuse=lambda body: too_long) as server:
        (end,) = hold(server, tmp_path, [single()])
    assert str(end) == f"{server.url} did not take the request (400: {too_long.message})."


def test_a_server_that_fails_everything_is_not_asked_ten_thousand_times(tmp_path: Path) -> None:
    with chat_server(echo, refuse=lambda body: Refusal(500)) as server:
        ends = hold(server, tmp_path, [single(str(i)) for i in range(200)], retries=1, concurrency=4)
        assert len(server.requests) < 30
    failed = [end for end in ends if not isinstance(end, NotNow)]
    assert len(failed) == 4
    assert "Run again once that is mended." in str(ends[-1])


@pytest.mark.parametrize(
    ("trouble", "what"), [("reset", "no connection to"), ("html", "no chat (HTML)"), (503, "busy")]
)
def test_a_server_that_went_away_fails_nothing_and_leaves_it_for_later(
    tmp_path: Path, trouble: int | str, what: str
) -> None:
    with chat_server(echo, script=[None, *[trouble] * 100]) as server:
        ends = hold(server, tmp_path, [single(str(i)) for i in range(20)], retries=2, concurrency=1)
    assert ends[0] == "said: 0"
    assert all(isinstance(end, NotNow) for end in ends[1:])
    assert what in str(ends[1])


def test_nobody_there_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(NotNow, match=f"no connection to {re.escape(url)}"), endpoint(url, tmp_path):
            pass


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with chat_server(echo, models=["qwen3", "allam"]) as server:
        ends = hold(server, tmp_path, [single(), single("آخر")], concurrency=1)
        assert len(server.requests) == 1
    assert str(ends[0]) == (
        f"{server.url} has no model 'm', or no chat at that address (404: The model `m` does not exist.). "
        "It has: qwen3, allam. Run again once that is mended."
    )
    assert all(isinstance(end, NotNow) for end in ends)


def test_a_wrong_address_is_said_to_be_one(tmp_path: Path) -> None:
    with chat_server(echo) as server, endpoint(server.url.removesuffix("/v1"), tmp_path) as model:
        (end,) = model.hold([single()])
    assert "Give the address up to and including /v1." in str(end)


def test_the_key_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with chat_server(echo, key=KEY) as server:
        assert hold(server, tmp_path, [single()], key_variable="MY_KEY") == ["said: نص"]
    assert KEY not in (tmp_path / "answers.db").read_bytes().decode("latin-1")


def test_a_refused_key_is_said_at_once_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with chat_server(echo, key="another") as server:
        with pytest.raises(NotNow) as raised, endpoint(server.url, tmp_path):
            pass
        assert not server.requests
    assert str(raised.value) == (
        f"{server.url} refused the key in $OPENAI_API_KEY (401: Incorrect API key provided: ***.). "
        "Run again once that is mended."
    )


def test_a_key_that_is_not_set_is_asked_for(tmp_path: Path) -> None:
    with (
        chat_server(echo, key="another") as server,
        pytest.raises(NotNow, match=r"asks for a key: set \$OPENAI_API_KEY"),
        endpoint(server.url, tmp_path),
    ):
        pass


def test_a_key_refused_in_the_middle_stops_everything_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    refused = Refusal(401, f"Incorrect API key provided: {KEY}")
    with chat_server(echo, script=[None, refused]) as server:
        ends = hold(server, tmp_path, [single(str(i)) for i in range(5)], concurrency=1)
        assert len(server.requests) == 2
    assert ends[0] == "said: 0"
    assert all(isinstance(end, NotNow) and KEY not in str(end) for end in ends[1:])


@pytest.mark.parametrize(
    "refusal",
    [Refusal(429, "You exceeded your quota", code="insufficient_quota"), Refusal(429, headers={"Retry-After": "7200"})],
)
def test_a_quota_that_is_used_up_is_not_waited_for(tmp_path: Path, refusal: Refusal) -> None:
    with chat_server(echo, script=[refusal]) as server:
        (end,) = hold(server, tmp_path, [single()])
        assert len(server.requests) == 1
    assert isinstance(end, NotNow)


def knows_no(*names: str) -> Any:
    def refuse(body: dict[str, Any]) -> Refusal | None:
        named = [name for name in names if name in body or body.get("response_format", {}).get("type") == name]
        hint = " Use 'max_completion_tokens' instead." if named[:1] == ["max_tokens"] else ""
        return Refusal(400, f"Unsupported: {named[0]}.{hint}") if named else None

    return refuse


@pytest.mark.parametrize(
    ("unknown", "left"),
    [
        ((), "json_schema"),
        (("json_schema",), "json_object"),
        (("response_format",), None),
        (("max_tokens", "temperature"), "json_schema"),
    ],
)
def test_a_server_is_asked_in_the_dialect_it_knows_and_that_is_kept(
    tmp_path: Path, unknown: tuple[str, ...], left: str | None
) -> None:
    with chat_server(echo, refuse=knows_no(*unknown)) as server:
        assert hold(server, tmp_path, [single("1"), single("2")], concurrency=1) == ["said: 1", "said: 2"]
        last = server.requests[-1]
        assert last.get("response_format", {}).get("type") == left
        assert not set(unknown) & set(last)
        assert server.requests[-2]["messages"] != last["messages"], "the second question was asked once"


def test_an_answer_that_was_paid_for_is_not_asked_for_again(tmp_path: Path) -> None:
    with chat_server(echo, usage=(100, 20)) as server:
        first = hold(server, tmp_path, [single(str(i)) for i in range(5)])
        again = hold(server, tmp_path, [single(str(i)) for i in range(7)])
        assert again[:5] == first
        assert len(server.requests) == 7
    assert spent_so_far(tmp_path / "answers.db") == Spent(7, 700, 140)


def test_the_same_question_from_two_passages_is_asked_once(tmp_path: Path) -> None:
    with chat_server(echo, latency=0.05) as server:
        assert hold(server, tmp_path, [single(), single(), single()]) == ["said: نص"] * 3
        assert len(server.requests) == 1


def test_a_server_that_moved_is_still_the_same(tmp_path: Path) -> None:
    with chat_server(echo) as here:
        hold(here, tmp_path, [single()])
    with chat_server(echo) as there:
        assert hold(there, tmp_path, [single()]) == ["said: نص"]
        assert not there.requests


def test_a_server_that_counts_no_tokens_has_them_estimated(tmp_path: Path) -> None:
    with chat_server(echo, usage=None) as server:
        hold(server, tmp_path, [single("ا" * 100)])
    spent = spent_so_far(tmp_path / "answers.db")
    assert spent == Spent(1, 50 + 3 + 2 * 6, 53)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_budget_stops_cleanly_before_it_is_passed_and_a_larger_one_goes_on(tmp_path: Path, concurrency: int) -> None:
    def talks() -> list[Talk[str]]:
        return [single(str(i)) for i in range(30)]

    with chat_server(echo, usage=(80, 20)) as server:
        ends = hold(server, tmp_path, talks(), max_tokens_total=1000, concurrency=concurrency)
        done = [end for end in ends if isinstance(end, str)]
        left = [end for end in ends if isinstance(end, NotNow)]
        assert len(done) + len(left) == 30
        assert "the budget of 1,000 tokens is used up" in str(left[0])
        spent = spent_so_far(tmp_path / "answers.db")
        assert 800 <= spent.tokens <= 1000
        assert spent.requests == len(done) == len(server.requests)
        assert hold(server, tmp_path, talks(), max_tokens_total=4000) == [f"said: {i}" for i in range(30)]
        assert len(server.requests) == 30


def test_a_budget_of_money_stops_too(tmp_path: Path) -> None:
    with chat_server(echo, usage=(1000, 1000)) as server:
        talks = [single(str(i)) for i in range(30)]
        prices = {"price_in": 1.0, "price_out": 9.0}
        ends = hold(server, tmp_path, talks, max_cost=0.05, concurrency=1, max_answer_tokens=1000, **prices)
        assert 4 <= len(server.requests) <= 5, "a cent each"
    assert "the budget of 0.05 is used up" in str(ends[-1])


def test_a_talk_that_breaks_breaks_alone(tmp_path: Path) -> None:
    def broken() -> Talk[str]:
        yield [question("قبل")]
        raise AramegaError("a mistake of the talk's")

    with chat_server(echo) as server:
        ends = hold(server, tmp_path, [broken(), single()])
    assert str(ends[0]) == "a mistake of the talk's"
    assert ends[1] == "said: نص"


def test_what_is_asked_is_what_the_protocol_says(tmp_path: Path) -> None:
    with chat_server(echo) as server:
        hold(server, tmp_path, [single()])
        (body,) = server.requests
    assert body["model"] == "m"
    assert body["messages"] == [{"role": "system", "content": "قواعد"}, {"role": "user", "content": "نص"}]
    assert (body["max_tokens"], body["temperature"]) == (50, 0.0)
    assert json.loads(json.dumps(body["response_format"]))["json_schema"]["strict"] is True
