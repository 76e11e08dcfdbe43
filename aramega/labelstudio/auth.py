"""Auth: the two kinds of Label Studio's tokens, as httpx sends them.

A legacy token (forty hexadecimal digits) goes into the header as it is. A personal access token (a JSON web token) is
exchanged for an access token that lives some minutes, and again when the server answers 401: its own clock decides.
A request that was answered 401 has done nothing, so that sending it again does no harm.
"""

from __future__ import annotations

from collections.abc import Generator

import httpx


class LogInFailed(Exception):
    """The server would not exchange a personal token; `response` is what it said."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class LegacyToken(httpx.Auth):
    """The same header with each request."""

    def __init__(self, token: str) -> None:
        self._header = f"Token {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


class PersonalToken(httpx.Auth):
    """An access token with each request, exchanged for the personal one before the first and after each 401."""

    def __init__(self, token: str, url: str) -> None:
        self._token = token
        self._exchange = f"{url}/api/token/refresh/"
        self._access = ""

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._access:
            yield from self._log_in()
        request.headers["Authorization"] = f"Bearer {self._access}"
        response = yield request
        if response.status_code == 401:
            yield from self._log_in()
            request.headers["Authorization"] = f"Bearer {self._access}"
            yield request

    def _log_in(self) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", self._exchange, json={"refresh": self._token})
        response.read()  # not `requires_response_body`, which would read every export into memory, too
        if response.status_code != 200:
            raise LogInFailed(response)
        self._access = str(response.json()["access"])


def token_auth(token: str, url: str) -> httpx.Auth:
    """How to log in at `url` with this token, whichever kind it is."""
    return PersonalToken(token, url) if is_personal(token) else LegacyToken(token)


def is_personal(token: str) -> bool:
    return token.count(".") == 2
