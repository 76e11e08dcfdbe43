"""A small real HTTP server that speaks the chat part of the OpenAI protocol, and can be told to misbehave.

It listens on a free port of the loopback, counts and keeps what it was asked, and answers with whatever
the given function makes of the messages. `script` holds misbehaviours for the next requests, one each: an
HTTP status, a `Refusal`, "html", "json" (no chat), "broken" (half a JSON), "hang", "drip", "reset", or None for a normal answer.
Run as a program it serves summaries, with a latency, and notes the key of each request it bills in a file.
"""

from __future__ import annotations

import argparse
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Reply = Callable[[list[dict[str, str]]], str]

SUMMARY = json.dumps(
    {"summary": "افتتحت الوزارة ثلاثة مستشفيات.", "title": "مستشفيات جديدة", "topics": ["الصحة"]}, ensure_ascii=False
)


@dataclass(frozen=True)
class Refusal:
    """An HTTP error with a message of its own."""

    status: int
    message: str = "scripted"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Trouble = int | str | Refusal | None


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        reply: Reply,
        *,
        script: Iterable[Trouble] = (),
        key: str = "",
        models: Iterable[str] | None = None,
        latency: float = 0.0,
        usage: tuple[int, int] | None = (1, 1),
        finish: str = "stop",
        refuse: Callable[[dict[str, Any]], Refusal | None] = lambda body: None,
        bill: Path | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.reply, self.key = reply, key
        self.script = deque(script)
        self.models, self.latency, self.usage, self.finish = models, latency, usage, finish
        self.refuse, self.bill = refuse, bill
        self.requests: list[dict[str, Any]] = []
        self.idempotency_keys: list[str] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: clients are killed here on purpose."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @contextmanager
    def one_more(self, body: dict[str, Any], key: str) -> Iterator[Trouble]:
        """Note a request, for as long as it is being answered; gives the trouble it is to get."""
        with self.lock:
            self.requests.append(body)
            self.idempotency_keys.append(key)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            trouble = self.script.popleft() if self.script else None
        try:
            yield trouble
        finally:
            with self.lock:
                self.at_once -= 1


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self._refused_key():
            return
        if self.path != "/v1/models" or self.server.models is None:
            return self._send(404, _error("no such address"))
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.server.models]
        return self._send(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.one_more(body, self.headers.get("Idempotency-Key", "")) as trouble:
            if self._refused_key():
                return None
            if self.path != "/v1/chat/completions":
                return self._send(404, _error("no such address"))
            if self.server.models is not None and body["model"] not in self.server.models:
                return self._send(404, _error(f"The model `{body['model']}` does not exist."))
            if wrong := self.server.refuse(body) or trouble:
                return self._misbehave(wrong)
            return self._answer(body)

    def _refused_key(self) -> bool:
        given = self.headers.get("Authorization", "")
        if not self.server.key or given == f"Bearer {self.server.key}":
            return False
        # Vendors do send the key back.
        self._send(401, _error(f"Incorrect API key provided: {given.removeprefix('Bearer ')}."))
        return True

    def _misbehave(self, trouble: int | str | Refusal) -> None:
        if isinstance(trouble, int):
            trouble = Refusal(trouble, headers={"Retry-After": "0"})
        if isinstance(trouble, Refusal):
            self._send(trouble.status, _error(trouble.message, trouble.code), trouble.headers)
        elif trouble == "hang":
            self.server.stopping.wait(30)
        elif trouble == "drip":
            self._drip()
        elif trouble == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif trouble == "html":
            self._send(200, "<html>maintenance</html>")
        elif trouble == "broken":
            self._send(200, '{"choices": [', {}, kind="application/json")
        else:
            self._send(200, {"status": "ok"})

    def _drip(self) -> None:
        """A byte of the answer now and then, for ever."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            while not self.server.stopping.wait(0.05):
                self.wfile.write(b" ")
        except OSError:
            return

    def _answer(self, body: dict[str, Any]) -> None:
        if self.server.bill:  # what a vendor does before it begins
            with self.server.lock, self.server.bill.open("a") as bill:
                bill.write(f"{self.headers.get('Idempotency-Key', '')}\n")
        time.sleep(self.server.latency)
        message = {"role": "assistant", "content": self.server.reply(body["messages"])}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": self.server.finish}],
        }
        if self.server.usage:
            sent, made = self.server.usage
            answer["usage"] = {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made}
        self._send(200, answer)

    def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None, kind: str = "") -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind or ("text/html" if isinstance(body, str) else "application/json"))
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def _error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


@contextmanager
def chat_server(reply: Reply, **more: Any) -> Iterator[ChatServer]:
    """A server in this process; see `ChatServer` for what it can be told."""
    server = ChatServer(reply, **more)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve summaries on the loopback; says its address on a line.")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--bill", type=Path, help="a file that gets the idempotency key of every request billed")
    options = parser.parse_args()
    server = ChatServer(lambda messages: SUMMARY, latency=options.latency, bill=options.bill, usage=(400, 60))
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
