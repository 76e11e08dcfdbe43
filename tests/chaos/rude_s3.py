"""An S3 that can be rude: moto's server, and before it a proxy that at a word answers with errors, slowly or by halves.

Only answers are meddled with and only for a while, as a store in trouble does: what it was asked to write, it wrote.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import random
import threading
import time
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

BUCKET = "archive"
PASSED_ON = ("connection", "transfer-encoding", "content-length", "server", "date")
"""Headers of an answer that are the proxy's own to say."""


class Mood(Enum):
    """How requests are answered for the next while, half of them at least."""

    CALM = "calm"
    ERRORS = "errors"
    SLOW = "slow"
    BROKEN = "broken"


class RudeS3:
    """`endpoint` is where clients go, `honest` the server behind, for those who look at what is there."""

    def __init__(self, seed: int = 0) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self.honest = f"http://{host}:{port}"
        self._proxy = _Quiet(("127.0.0.1", 0), _handler(self))
        self._proxy.daemon_threads = True
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._proxy.server_port}"
        self.rudenesses = 0
        """Answers that were meddled with."""
        self._rng, self._mood, self._until = random.Random(seed), Mood.CALM, 0.0
        self._lock = threading.Lock()

    def be_rude(self, mood: Mood, seconds: float = 3.0) -> None:
        with self._lock:
            self._mood, self._until = mood, time.monotonic() + seconds

    def calm_down(self) -> None:
        self.be_rude(Mood.CALM)

    def mood(self) -> Mood:
        """For one answer."""
        with self._lock:
            rude = self._mood is not Mood.CALM and time.monotonic() < self._until and self._rng.random() < 0.6
            self.rudenesses += rude
            return self._mood if rude else Mood.CALM

    def environment(self) -> dict[str, str]:
        """What a client's environment must say."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def files(self) -> Any:
        """A file system that sees what is there, past the proxy; with the bucket made."""
        import s3fs

        store = s3fs.S3FileSystem(
            endpoint_url=self.honest,
            key="testing",
            secret="testing",
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        if not store.exists(BUCKET):
            store.mkdir(BUCKET)
        return store

    def close(self) -> None:
        self._proxy.shutdown()
        self._proxy.server_close()
        self._moto.stop()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Clients are killed in storms, with their connections: nothing to tell of."""


def _handler(s3: RudeS3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            mood, body = s3.mood(), _body(self)
            if mood is Mood.ERRORS and self.command in ("GET", "HEAD"):
                self._refuse()
                return
            status, headers, answer = _ask(s3.honest, self.command, self.path, self.headers, body)
            if mood is Mood.ERRORS:  # it was written, and the client is told that it was not
                self._refuse()
                return
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in PASSED_ON:
                    self.send_header(name, value)
            length = {name.lower(): value for name, value in headers}.get("content-length", "0")
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(answer)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self._send(answer, mood)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815  http.server's names

        def _refuse(self) -> None:
            body = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            self.send_response(503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _send(self, answer: bytes, mood: Mood) -> None:
            if mood is Mood.BROKEN and answer:
                self.wfile.write(answer[: len(answer) // 2])
                self.close_connection = True
            elif mood is Mood.SLOW:
                for piece in range(4):
                    time.sleep(0.2)
                    self.wfile.write(answer[len(answer) * piece // 4 : len(answer) * (piece + 1) // 4])
            else:
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _body(request: BaseHTTPRequestHandler) -> bytes:
    """All of it: a store keeps nothing of a client that was killed while it sent."""
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return _read(request, int(request.headers.get("Content-Length") or 0))
    body = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        body += _read(request, size)
        request.rfile.readline()
    while request.rfile.readline().strip():  # trailers
        pass
    return body


def _read(request: BaseHTTPRequestHandler, size: int) -> bytes:
    piece = request.rfile.read(size)
    if len(piece) < size:
        raise ConnectionError(f"ended after {len(piece)} of {size} bytes")
    return piece


def _ask(honest: str, command: str, path: str, headers: Any, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    where = urlsplit(honest)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    kept = {name: value for name, value in headers.items() if name.lower() not in ("transfer-encoding", "expect")}
    try:
        connection.request(command, path, body, {**kept, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()
