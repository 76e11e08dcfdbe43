"""The server: the page, searches and sound, to the browser of the person who started it and to nobody else.

It listens on the loopback only. Other programs and other people's pages on this machine can reach that, so
every address begins with a random token, and a request whose `Host` is not the loopback (a foreign name that
was made to point here: DNS rebinding) is refused before anything is looked at. It only reads.
"""

from __future__ import annotations

import hmac
import re
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from aramega.desk.entries import Library
from aramega.desk.index import Index
from aramega.desk.page import page_facts, render_served
from aramega.desk.query import read_query
from aramega.desk.shown import row_of, whole_of
from aramega.publish.as_json import to_json
from aramega.records import AramegaError

LOOPBACK = "127.0.0.1"
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class ExplorerServer(ThreadingHTTPServer):
    """Serves one library until it is shut down."""

    daemon_threads = True

    def __init__(self, library: Library, index: Index, port: int = 0) -> None:
        self.library = library
        self.index = index
        self.token = secrets.token_urlsafe(16)
        self.page = render_served(page_facts(library, index)).encode()
        try:
            super().__init__((LOOPBACK, port), _Answer)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise AramegaError(f"--port {port}: {reason}. Leave it out and a free one is found.") from None

    @property
    def address(self) -> str:
        """Where the page is; whoever knows it may look."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        return (f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}")

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):  # a browser that seeks hangs up first
            super().handle_error(request, client_address)


class _Answer(BaseHTTPRequestHandler):
    server: ExplorerServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        if self.headers.get("Host", "") not in self.server.hosts:
            return self._refuse(HTTPStatus.FORBIDDEN, "this server answers to 127.0.0.1 only")
        path, _, asked = self.path.partition("?")
        token, what, name = [*path.removeprefix("/").split("/", 2), "", ""][:3]
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return self._refuse(HTTPStatus.FORBIDDEN, "wrong token: use the address that `aramega browse` printed")
        try:
            self._answer(what, unquote(name), dict(parse_qsl(asked, keep_blank_values=True)))
        except AramegaError as error:
            self._refuse(HTTPStatus.BAD_REQUEST if what == "search" else HTTPStatus.NOT_FOUND, str(error))

    do_HEAD = do_GET  # noqa: N815  # the name http.server looks for

    def _answer(self, what: str, name: str, parameters: dict[str, str]) -> None:
        server = self.server
        if what == "search":
            result = server.index.search(read_query(parameters))
            self._send_json({"total": result.total, "rows": [row_of(entry) for entry in result.entries]})
        elif what == "passage":
            self._send_json(whole_of(server.index.entry(name)))
        elif what == "sound":
            self._send_sound(server.library.sound(server.index.entry(name).sound))
        elif what == name == "":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", server.page)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing at this address")

    def _send_sound(self, content: bytes) -> None:
        """The whole, or the part a player asks for when somebody seeks."""
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None:
            return self._send(HTTPStatus.OK, "audio/flac", content, {"Accept-Ranges": "bytes"})
        part = chosen_range(asked[1], asked[2], len(content))
        if part is None:
            wrong = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            return self._send(wrong, "text/plain", b"", {"Content-Range": f"bytes */{len(content)}"})
        first, end = part
        headers = {"Content-Range": f"bytes {first}-{end - 1}/{len(content)}", "Accept-Ranges": "bytes"}
        self._send(HTTPStatus.PARTIAL_CONTENT, "audio/flac", content[first:end], headers)

    def _send_json(self, values: Any) -> None:
        self._send(HTTPStatus.OK, "application/json; charset=utf-8", to_json(values).encode())

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{why}\n".encode("utf-8", "backslashreplace"))

    def _send(self, status: HTTPStatus, kind: str, content: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            **HEADERS,
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            **(more or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads a line for every request; what goes wrong is told to the page."""


def chosen_range(first: str, last: str, length: int) -> tuple[int, int] | None:
    """The bytes of a range header as first and end; None where there are none such."""
    if first:
        begin, end = int(first), min(length, int(last) + 1 if last else length)
    elif last:
        begin, end = max(0, length - int(last)), length
    else:
        return None
    return (begin, end) if begin < end else None
