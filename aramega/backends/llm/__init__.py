"""Language models behind the summarize and overview stages: an endpoint, a local one.

What is asked of a passage is a *talk*: a generator that gives requests and is sent their replies, until it
returns what it made of them. A talk knows no model, server or clock, so it is tested by answering it by hand;
a model knows nothing of summaries. A model has two methods: `load`, and `hold`, which holds many talks at once.
`extractive` needs no model and holds no talks.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from aramega.records import AramegaError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    """system, user or assistant."""
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a chat model."""

    messages: tuple[Message, ...]
    schema: str
    """The JSON schema of the answer, as JSON."""
    max_tokens: int
    clip: str = ""
    """The passage's clip, within the workspace, that goes with the question; empty where only text is sent."""
    seconds: float = 0.0
    """How long the clip is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, and what it took."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    cut_off: bool = False
    """It ends because it reached `max_tokens`."""


Talk = Generator[Sequence[Request], Sequence[Reply], T]
"""Gives requests, all of which may be asked at once; is sent their replies; returns what it was for."""


class InvalidAnswer(AramegaError):
    """The model was asked twice and did not give what was asked for."""


class ChatModel(Protocol):
    """A chat model, wherever it runs."""

    def load(self) -> None:
        """Make it ready, once per process; raise what a curator can act on."""

    def hold(self, talks: Sequence[Talk[Any]]) -> list[Any]:
        """What each talk returns, or the exception it ended with, in order."""
        ...
