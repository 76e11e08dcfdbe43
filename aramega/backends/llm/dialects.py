"""The dialects of the OpenAI protocol: which of its optional parts a server takes.

Not every server knows `response_format`; some vendors' newer models want `max_completion_tokens` and no
`temperature`. We begin with all of it and, when a request is refused as malformed, leave out what the refusal
names, or else the format, until it is taken. What was learned is kept for the requests that follow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from aramega.backends.llm import Request


@dataclass(frozen=True)
class Dialect:
    """What a server is taken to understand."""

    format: str = "json_schema"
    """json_schema, json_object, or empty for a plain answer."""
    limit: str = "max_tokens"
    temperature: bool = True

    def body(self, request: Request, model: str, temperature: float) -> dict[str, Any]:
        """A request in this dialect."""
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        said: dict[str, Any] = {"model": model, "messages": messages, self.limit: request.max_tokens}
        if self.temperature:
            said["temperature"] = temperature
        if self.format == "json_schema":
            schema = {"name": "answer", "strict": True, "schema": json.loads(request.schema)}
            said["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.format:
            said["response_format"] = {"type": self.format}
        return said

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
