"""LabelStudioClient: sends requests to one Label Studio, with a token, and explains what goes wrong.

Requests are plain httpx, with the token as `auth.py` sends it: building the vendor's SDK's typed objects for ten
thousand tasks doubles the time, and its own retries would import a batch twice. (What the SDK is good at is saying
which tasks and predictions fit a form: our tests ask it.) This module adds what a curator needs: errors that say what
is wrong and what to do, and patience while a server restarts. The token is in no message, log or argument list, and
TLS certificates are always checked (`SSL_CERT_FILE` names a private authority).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from aramega.display import one_line
from aramega.errors import AramegaError, NotNow
from aramega.retry import PATIENCE, retry

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

R = TypeVar("R")

OLDEST = (1, 20)
"""The oldest Label Studio whose answers we know how to read: `include`, and child filters in views, are of 1.20."""
SLOW = 300.0
"""Seconds to wait for one answer: an import of 500 tasks on a busy machine takes a few, an export snapshot minutes."""


class Unreachable(NotNow):
    """The server did not answer, or broke off: what was asked may or may not have been done."""


class TooSlow(Unreachable):
    """The server took the request and gave no answer in time."""


class Refused(AramegaError):
    """The server understood and would not."""


class LabelStudioClient:
    """Sends requests to one Label Studio server and gives its answers as plain JSON."""

    def __init__(self, url: str, token: str, *, patience: float = PATIENCE) -> None:
        """`patience`: how long, in seconds, a server that does not answer is waited for."""
        import httpx

        from aramega.labelstudio.auth import is_personal, token_auth

        self.url = checked_url(url)
        self.patience = patience
        self._is_personal = is_personal(token)
        self._http = httpx.Client(
            auth=token_auth(token, self.url), timeout=httpx.Timeout(SLOW, connect=10.0), follow_redirects=True
        )

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> LabelStudioClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self) -> datetime:
        """Raise unless this is a Label Studio of a version we know. Returns its clock: `updated_at` is compared with it."""
        response = self.retry(lambda: self._request("GET", "api/version"))
        version = str(self._json(response, "api/version").get("release", ""))
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if not numbers:
            raise self._no_json()
        if numbers < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            raise AramegaError(
                f"{self.url} is Label Studio {version}; aramega speaks to {wanted} and newer. Upgrade it."
            )
        return parsedate_to_datetime(response.headers["Date"])

    def get(self, path: str, **params: object) -> Any:
        """Read an address as JSON. A server that is away is asked again: reading twice does no harm."""
        return self.retry(lambda: self._json(self._request("GET", path, params=params), path))

    def serves(self, path: str, **params: object) -> bool:
        """Whether the server has something at an address, without fetching it."""
        return self.retry(lambda: self._is_there(path, params))

    def _is_there(self, path: str, params: Mapping[str, object]) -> bool:
        with self.explained(path):
            headers = {"Range": "bytes=0-0"}
            with self._http.stream("GET", f"{self.url}/{path}", params=_query(params), headers=headers) as response:
                return response.status_code < 400

    def send(self, method: str, path: str, **body: Any) -> Any:
        """Send one request that changes something. It is not repeated: it may have been done."""
        response = self._request(method, path, **body)
        return self._json(response, path) if response.content else None

    def set(self, path: str, **values: Any) -> None:
        """Set fields of an object (PATCH). A server that is away is asked again: twice is the same as once."""
        self.retry(lambda: self.send("PATCH", path, json=values))

    @contextmanager
    def stream(self, path: str, **params: object) -> Iterator[httpx.Response]:
        """Read a large answer piece by piece."""
        with (
            self.explained(path),
            self._http.stream("GET", f"{self.url}/{path}", params=_query(params)) as response,
        ):
            if response.status_code >= 400:
                response.read()
                self._refuse(response.status_code, _body(response), path)
            yield response

    def retry(self, ask: Callable[[], R]) -> R:
        """Ask again, a little later each time, while the server is away and patience lasts. One that took the whole
        time for an answer is not: it would take it again."""
        return retry(ask, may_pass=_is_away, doing=self.url, patience=self.patience)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn what httpx raises into one line that helps."""
        import httpx

        from aramega.labelstudio.auth import LogInFailed

        try:
            yield
        except LogInFailed as error:
            self._refuse(error.response.status_code, _body(error.response), "log in")
        except httpx.HTTPError as error:
            raise self._away(error) from None
        except httpx.InvalidURL as error:
            raise AramegaError(f"{self.url}: not an address ({error}).") from None
        except json.JSONDecodeError:
            raise self._no_json() from None

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        with self.explained(path):
            more["params"] = _query(more.get("params") or {})
            response = self._http.request(method, f"{self.url}/{path}", **more)
            if response.status_code >= 400:
                self._refuse(response.status_code, _body(response), path)
            return response

    def _json(self, response: httpx.Response, path: str) -> Any:
        with self.explained(path):
            return response.json()

    def _refuse(self, status: int, body: Any, doing: str) -> None:
        """Say why the server would not; never with the request in the message, which holds the token."""
        reason = _reason(body)
        if status >= 500:  # starting, overrun, or SQLite locked by someone else's import
            raise Unreachable(f"{self.url} is in trouble ({status}{': ' + reason if reason else ''}). Run again later.")
        if status == 401:
            raise AramegaError(f"{self.url} refuses the token: {self._about_token(reason)}")
        if status == 403:
            raise AramegaError(
                f"{self.url}: this token's user may not do that ({doing}{': ' + reason if reason else ''}). Ask the server's owner."
            )
        if status == 404 and "<html" in str(body)[:2000].lower():
            raise self._no_json()
        if status == 404:
            raise AramegaError(f"{self.url} knows no {doing}. Was it deleted, or does it belong to someone else?")
        raise Refused(f"{self.url} would not ({doing}, {status}): {reason or 'no reason given'}")

    def _about_token(self, reason: str) -> str:
        new = "a personal access token (Account & Settings → Personal Access Token)"
        old = "a legacy token (Account & Settings → Legacy Token)"
        if "disabled" in reason:
            return (
                f"legacy tokens are turned off here, personal access tokens are on. Put {new} in LABEL_STUDIO_API_KEY."
            )
        if self._is_personal and "credentials were not provided" in reason:
            return (
                f"personal access tokens are turned off here, legacy tokens are on. Put {old} in LABEL_STUDIO_API_KEY."
            )
        if self._is_personal:
            return f"this personal access token is expired or revoked. Make {new} and put it in LABEL_STUDIO_API_KEY."
        return f"nobody has it. Put {new}, or {old}, in LABEL_STUDIO_API_KEY."

    def _away(self, error: Exception) -> AramegaError:
        import httpx

        reason = _root(error)
        if "CERTIFICATE" in reason.upper():
            return AramegaError(
                f"{self.url}: its certificate cannot be trusted ({reason}). For a private authority set "
                "SSL_CERT_FILE to its certificate; aramega never skips the check."
            )
        if isinstance(error, httpx.UnsupportedProtocol):
            return AramegaError(f"{self.url}: not an address. Give one such as https://labels.example.org.")
        if isinstance(error, httpx.TimeoutException):
            kind = Unreachable if isinstance(error, httpx.ConnectTimeout) else TooSlow
            return kind(f"{self.url} does not answer in time. Nothing is lost: run again.")
        return Unreachable(
            f"{self.url}: nobody answers ({reason}). Is Label Studio running there? `aramega review start` "
            "starts one. Nothing is lost: run again when it is up."
        )

    def _no_json(self) -> AramegaError:
        return AramegaError(
            f"{self.url} answers with a web page, not as Label Studio's API does. Give the address of its home page."
        )


def checked_url(url: str) -> str:
    """The address without what people paste along with it."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AramegaError(f"--url {url}: give an address such as https://labels.example.org or http://127.0.0.1:8080.")
    if parts.username or parts.password:
        raise AramegaError(
            "--url: leave user and password out of the address; the token comes from LABEL_STUDIO_API_KEY."
        )
    path = parts.path
    for tail in ("/projects", "/api", "/user"):
        path = path.partition(tail)[0]
    return f"{parts.scheme}://{parts.netloc}{path}".rstrip("/")


def part(answer: Any, name: str, of: str) -> Any:
    """What the server's answer holds under a name; a server from another time may answer otherwise."""
    if isinstance(answer, dict) and name in answer:
        return answer[name]
    raise AramegaError(
        f"Label Studio answers {of} without `{name}`: this server and this aramega are too far apart. "
        "Upgrade the older of the two; aramega in its clone: git pull, then pip install '.[review]'."
    )


def _is_away(error: BaseException) -> bool:
    return isinstance(error, Unreachable) and not isinstance(error, TooSlow)


def _query(params: Mapping[str, object]) -> dict[str, Any]:
    return {k: json.dumps(v) if isinstance(v, dict | bool) else v for k, v in params.items()}


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except json.JSONDecodeError:
        return response.text


def _reason(body: Any) -> str:
    """What the server gave as its reason, on one line and short."""
    if not isinstance(body, dict):
        return "" if "<" in str(body) else one_line(str(body))
    errors = body.get("validation_errors")
    if isinstance(errors, dict) and errors:
        return one_line("; ".join(f"{k}: {v}" for k, v in errors.items()).replace("non_field_errors: ", ""))
    return one_line(str(body.get("detail", "")))


def _root(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return one_line(str(error) or type(error).__name__, 120)
