"""The dialects of the OpenAI protocol: which of its optional parts a server takes.

Not every server knows `response_format`; some vendors' newer models want `max_completion_tokens` and no
`temperature`. We begin with all of it and, when a request is refused as malformed, leave out what the refusal
names, or else the format, until it is taken. What was learned is kept for the requests that follow. Replies have
their dialects, too: some count no tokens, some give the text in pieces.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from aramega.backends.llm import Reply, Request


@dataclass(frozen=True)
class Dialect:
    """What a server is taken to understand."""

    format: str = "json_schema"
    """json_schema, json_object, or empty for a plain answer."""
    limit: str = "max_tokens"
    temperature: bool = True

    @property
    def mark(self) -> str:
        """For idempotency keys: servers that heed them refuse a known key with another body."""
        return "" if self == Dialect() else f"-{hashlib.sha256(repr(self).encode()).hexdigest()[:6]}"

    def body(self, request: Request, model: str, temperature: float, *, sound: bytes = b"") -> dict[str, Any]:
        """A request in this dialect; `sound` is a WAV file that goes with the first thing a user says."""
        messages: list[dict[str, Any]] = [{"role": m.role, "content": m.content} for m in request.messages]
        if sound:
            first = next(message for message in messages if message["role"] == "user")
            first["content"] = [sound_part(sound), {"type": "text", "text": first["content"]}]
        body_fields: dict[str, Any] = {"model": model, "messages": messages, self.limit: request.max_tokens}
        if self.temperature:
            body_fields["temperature"] = temperature
        if self.format == "json_schema":
            schema = {"name": "answer", "strict": True, "schema": json.loads(request.schema)}
            body_fields["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.format:
            body_fields["response_format"] = {"type": self.format}
        return body_fields

    def simpler(self, refusal: str) -> Dialect | None:
        """What to try after a refusal; None where nothing is left to leave out."""
        refusal = refusal.lower()
        if self.limit == "max_tokens" and "max_completion_tokens" in refusal:
            return replace(self, limit="max_completion_tokens")
        if self.temperature and "temperature" in refusal:
            return replace(self, temperature=False)
        if self.format:
            return replace(self, format="json_object" if self.format == "json_schema" else "")
        return None


def sound_part(sound: bytes) -> dict[str, Any]:
    """A WAV file as a part of a message."""
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(sound).decode(), "format": "wav"}}


class NoChat(Exception):
    """A reply that is no chat completion: a maintenance page, a proxy's login, another kind of server."""


def read_completion(answer: Any) -> Reply:
    """What the client made of a server's reply, which it does not check; 0 tokens where the server counts none."""
    try:
        choice = answer.choices[0]
        text = choice.message.content
    except (AttributeError, TypeError, LookupError):
        page = str(answer).lstrip()[:1] == "<"
        raise NoChat("HTML" if page else "no choices with a message in it") from None
    if isinstance(text, list):
        text = "".join(str(piece.get("text", "")) for piece in text if isinstance(piece, dict))
    return Reply(
        text=str(text or ""),
        prompt_tokens=_count(answer, "prompt_tokens"),
        completion_tokens=_count(answer, "completion_tokens"),
        cut_off=getattr(choice, "finish_reason", None) == "length",
    )


def _count(answer: Any, name: str) -> int:
    count = getattr(getattr(answer, "usage", None), name, None)
    return count if isinstance(count, int) and count > 0 else 0
