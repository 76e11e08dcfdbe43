"""A small real HTTP server that speaks the chat part of the OpenAI protocol, and can be told to misbehave.

It listens on a free port of the loopback, counts and keeps what it was asked, and answers with whatever
the given function makes of the messages. `script` holds misbehaviours for the next requests, one each:
an HTTP status, "html", "hang", "reset", or None for a normal answer.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[list[dict[str, str]]], str]


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Reply, *, script: Iterable[int | str | None] = (), key: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply, self.key = reply, key
        self.script = deque(script)
        self.requests: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(body)
            trouble = self.server.script.popleft() if self.server.script else None
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return self._send(401, {"error": {"message": "no such key", "type": "invalid_request_error"}})
        if self.path != "/v1/chat/completions":
            return self._send(404, {"error": {"message": "no such address"}})
        if trouble == "hang":
            self.server.stopping.wait(30)
            return None
        if trouble == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        if trouble == "html":
            return self._send(200, "<html>maintenance</html>")
        if trouble is not None:
            return self._send(int(trouble), {"error": {"message": "scripted"}}, {"Retry-After": "0"})
        message = {"role": "assistant", "content": self.server.reply(body["messages"])}
        return self._send(
            200,
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            },
        )

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def chat_server(reply: Reply, *, script: Iterable[int | str | None] = (), key: str = "") -> Iterator[ChatServer]:
    server = ChatServer(reply, script=script, key=key)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
