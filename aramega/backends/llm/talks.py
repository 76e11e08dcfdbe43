"""Asking and, once, asking again: the part that every talk shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aramega.backends.llm import InvalidAnswer, Message, Reply, Request, Talk

A = TypeVar("A")

LONGEST_QUOTE = 2000
"""Of an answer that is sent back, in characters: a model that ran on and on must not do so in the next request."""


@dataclass
class Bill:
    """What a talk has taken so far."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, replies: Sequence[Reply]) -> None:
        self.requests += len(replies)
        self.prompt_tokens += sum(reply.prompt_tokens for reply in replies)
        self.completion_tokens += sum(reply.completion_tokens for reply in replies)


def ask(
    requests: Sequence[Request], read: Callable[[str], A], repair: Callable[[str], str], bill: Bill
) -> Talk[list[A]]:
    """Every request's answer, as `read` understands it. One that it doesn't (ValueError) is sent back, once."""
    replies = yield requests
    bill.add(replies)
    answers = [_understand(reply, read) for reply in replies]
    wrong = [i for i, answer in enumerate(answers) if isinstance(answer, ValueError)]
    if wrong:
        again = [_sent_back(requests[i], replies[i], repair(str(answers[i]))) for i in wrong]
        second = yield again
        bill.add(second)
        for i, reply in zip(wrong, second, strict=True):
            answers[i] = _understand(reply, read)
    good: list[A] = []
    for answer in answers:
        if isinstance(answer, ValueError):
            raise InvalidAnswer(f"the model's answer was not accepted, nor its second: {answer}.")
        good.append(answer)
    return good


def _understand(reply: Reply, read: Callable[[str], A]) -> A | ValueError:
    try:
        return read(reply.text)
    except ValueError as wrong:
        return ValueError(f"the answer was cut off after {reply.completion_tokens} tokens") if reply.cut_off else wrong


def _sent_back(request: Request, reply: Reply, complaint: str) -> Request:
    previous_answer = Message("assistant", reply.text[:LONGEST_QUOTE] or "{}")
    return replace(request, messages=(*request.messages, previous_answer, Message("user", complaint)))
