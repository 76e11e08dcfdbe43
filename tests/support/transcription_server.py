"""A transcription server over real HTTP: `audio/transcriptions`, answered by a recognizer of ours or by what a test says."""

from __future__ import annotations

import email
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import soundfile

from aramega.backends.asr.recognizer import Recognizer, Sound

Answer = Callable[[Sound, dict[str, list[str]]], tuple[int, Any]]
"""Status and body, from the sound and the form's fields."""


def heard_by(recognizer: Recognizer) -> Answer:
    """Answers as a server around a real model does."""

    def answer(sound: Sound, form: dict[str, list[str]]) -> tuple[int, Any]:
        heard = recognizer.recognize([sound])[0]
        if form["response_format"] != ["verbose_json"]:
            return 200, {"text": heard.text}
        segments = [
            {"start": p.start, "end": p.end, "text": p.text, "avg_logprob": heard.avg_logprob} for p in heard.phrases
        ]
        return 200, {"text": heard.text, "language": "arabic", "segments": segments}

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The server's address, and the requests it has had."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form, sound = _read_form(self.headers["Content-Type"], body)
            requests.append({"path": self.path, "key": self.headers.get("Authorization"), "form": form})
            status, content = answer(sound, form)
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read_form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], Sound]:
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    form: dict[str, list[str]] = {}
    sound: Sound
    for part in message.get_payload():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if name == "file":
            sound = soundfile.read(io.BytesIO(content), dtype="float32")[0]
        else:
            form.setdefault(str(name), []).append(content.decode())
    return form, sound
