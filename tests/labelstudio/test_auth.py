"""Tokens on their way: as they are, exchanged, and exchanged again. The real server's answers are in test_bad_input."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from aramega.labelstudio.auth import LogInFailed, token_auth

PERSONAL, LEGACY = "aaa.bbb.ccc", "0123456789abcdef" * 2 + "01234567"


class Server:
    """Knows which access token is good now, and notes what it was sent. A mock: a real one's live five minutes."""

    def __init__(self) -> None:
        self.valid, self.exchanges, self.bodies = 0, 0, list[bytes]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/api/token/refresh/"):
            assert "Authorization" not in request.headers
            assert json.loads(request.content) == {"refresh": PERSONAL}
            self.exchanges += 1
            return httpx.Response(200, json={"access": f"access-{self.valid}"})
        self.bodies.append(request.content)
        good = request.headers["Authorization"] in (f"Bearer access-{self.valid}", f"Token {LEGACY}")
        return httpx.Response(200 if good else 401, json={})


def client_of(token: str, server: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    url = "https://host/labels"
    return httpx.Client(auth=token_auth(token, url), base_url=url, transport=httpx.MockTransport(server))


def test_a_legacy_token_goes_as_it_is():
    server = Server()
    with client_of(LEGACY, server) as client:
        assert client.get("/api/version").status_code == 200
    assert server.exchanges == 0


def test_a_personal_token_is_exchanged_once_and_again_when_the_server_wants_another():
    server = Server()
    with client_of(PERSONAL, server) as client:
        assert [client.get("/api/projects").status_code for _ in range(3)] == [200] * 3
        assert server.exchanges == 1
        server.valid += 1
        assert client.post("/api/projects", json={"title": "نشرة"}).status_code == 200
    assert server.exchanges == 2
    assert server.bodies[-1] == server.bodies[-2], "the same request, sent again"


def test_a_large_answer_is_not_read_before_it_is_asked_for():
    def serving(request: httpx.Request) -> httpx.Response:
        is_exchange = "refresh" in request.url.path
        return httpx.Response(200, json={"access": "x"}) if is_exchange else httpx.Response(200, content=iter([b"x"]))

    with client_of(PERSONAL, serving) as client, client.stream("GET", "/api/export") as response:
        assert not response.is_stream_consumed


def test_an_access_token_that_is_refused_twice_is_the_callers_business():
    def refusing(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access": "x"}) if "refresh" in request.url.path else httpx.Response(401)

    with client_of(PERSONAL, refusing) as client:
        assert client.get("/api/projects").status_code == 401


def test_a_personal_token_that_is_not_exchanged_ends_with_what_the_server_said():
    def refusing(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "Token is blacklisted"})

    with client_of(PERSONAL, refusing) as client, pytest.raises(LogInFailed) as failed:
        client.get("/api/projects")
    assert failed.value.response.json()["detail"] == "Token is blacklisted"
    assert PERSONAL not in str(failed.value)
