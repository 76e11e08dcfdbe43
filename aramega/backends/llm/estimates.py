"""Tokens and money, before and while they are spent.

How many tokens a text has only the model's own tokenizer knows, and an endpoint doesn't lend it. So: characters
over `characters_per_token`, and a few for every message's frame. While requests run, the endpoint's own counts
correct the rule: what is reserved for the next request grows by the worst underestimate seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aramega.backends.llm import Reply, Request, Talk
from aramega.backends.llm.journal import Spent
from aramega.backends.llm.rounds import hold_in_rounds
from aramega.config.summarize import SummarizeConfig
from aramega.prompts import Prompt

LEAST_ROOM = 200
"""Characters left for material in a context too small for its prompt: then parts are small, and many."""
MESSAGE_FRAME = 6
"""Tokens a chat template puts around a message: role, start, end; 3 to 5 in those we looked at."""


@dataclass(frozen=True)
class Estimate:
    """What a build would ask of an endpoint."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In the currency of the prices; 0 where none are given."""


@dataclass(frozen=True)
class Budget:
    """What may be spent, over all runs; 0 where there is no limit. Prices are of a million tokens."""

    max_tokens: int = 0
    max_cost: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0

    def cost(self, spent: Spent) -> float:
        return (spent.prompt_tokens * self.price_in + spent.completion_tokens * self.price_out) / 1e6

    def objection(self, spent: Spent, more: Spent) -> str:
        """Why `more` may not be spent on top of `spent`; empty if it may."""
        total = spent + more
        if self.max_tokens and total.tokens > self.max_tokens:
            return (
                f"the budget of {self.max_tokens:,} tokens is used up ({spent.tokens:,} so far, the next request may "
                f"take {more.tokens:,}). Raise summarize.max_tokens_total and run again; what is done stays done."
            )
        if self.max_cost and self.cost(total) > self.max_cost:
            return (
                f"the budget of {self.max_cost:g} is used up ({self.cost(spent):.4f} so far, the next request may cost "
                f"{self.cost(more):.4f}). Raise summarize.max_cost and run again; what is done stays done."
            )
        return ""


SOUND_TOKENS = 25
"""Of a second of sound: Qwen's audio models take so many."""


def tokens_of(text: str, characters_per_token: float) -> int:
    return math.ceil(len(text) / characters_per_token)


def request_tokens(request: Request, characters_per_token: float) -> int:
    """What a request's messages come to, and its sound at what audio models usually take for a second."""
    sound = math.ceil(request.seconds * SOUND_TOKENS)
    return sound + sum(tokens_of(m.content, characters_per_token) + MESSAGE_FRAME for m in request.messages)


def at_most(request: Request, characters_per_token: float) -> Spent:
    """What a request is taken to cost until it is known: its estimate, and an answer as long as allowed."""
    return Spent(1, request_tokens(request, characters_per_token), request.max_tokens)


def room_beside(prompt: Prompt, options: SummarizeConfig, max_answer_tokens: int) -> int:
    """Characters of material that fit beside a prompt, an answer, and that answer sent back with its repair."""
    prompt_tokens_alone = tokens_of(prompt.system + prompt.user + prompt.repair, options.characters_per_token)
    left = options.context_tokens - prompt_tokens_alone - 2 * max_answer_tokens - 4 * MESSAGE_FRAME
    return max(LEAST_ROOM, int(left * options.characters_per_token))


def split_to_fit(lines: Sequence[str], room: int, *, at_least: int = 1) -> list[list[str]]:
    """Consecutive lines in as few parts of `room` characters as will do, of like length; `at_least` so many lines each
    where there are as many. A line longer than the room is cut between words."""
    pieces = [piece for line in lines for piece in _cut(line, room)] if at_least == 1 else list(lines)
    total = sum(len(piece) + 1 for piece in pieces)
    count = max(1, math.ceil(total / room))
    while True:
        parts = _fill(pieces, total / count, room, at_least)
        if len(parts) <= count or count >= len(pieces):
            return parts
        count += 1


def _fill(pieces: Sequence[str], aim: float, room: int, at_least: int) -> list[list[str]]:
    """Parts that end once they are as long as `aim`, or before they would pass `room`."""
    parts: list[list[str]] = []
    part: list[str] = []
    length = 0
    for piece in pieces:
        if len(part) >= at_least and (length >= aim or length + len(piece) + 1 > room):
            parts.append(part)
            part, length = [], 0
        part.append(piece)
        length += len(piece) + 1
    if part and len(part) < at_least and parts:
        parts[-1] += part
    elif part:
        parts.append(part)
    return parts


def _cut(line: str, room: int) -> list[str]:
    """A line in pieces of at most `room` characters, cut at spaces where there are any."""
    pieces = []
    while len(line) > room - 1:
        at = line.rfind(" ", 1, room)
        at = at if at > 0 else room - 1
        pieces.append(line[:at])
        line = line[at:].lstrip()
    return [*pieces, line] if line else pieces


def estimate_talks(talks: Iterable[Talk[Any]], answer: str, options: SummarizeConfig) -> Estimate:
    """What the talks would take of an endpoint that answers everything with `answer`."""
    per_token, total = options.characters_per_token, Spent()
    reply = Reply(answer, 0, tokens_of(answer, per_token))

    def answer_all(requests: Sequence[Request]) -> list[Reply | Exception]:
        nonlocal total
        for request in requests:
            total += Spent(1, request_tokens(request, per_token), reply.completion_tokens)
        return [reply] * len(requests)

    for talk in talks:
        (end,) = hold_in_rounds([talk], answer_all)
        if isinstance(end, Exception):
            raise end
    cost = Budget(price_in=options.price_in, price_out=options.price_out).cost(total)
    return Estimate(total.requests, total.prompt_tokens, total.completion_tokens, cost)
