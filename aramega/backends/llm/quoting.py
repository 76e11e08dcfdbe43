"""Material in a prompt: quoted, between marks that it cannot close.

A transcript that gives orders is a transcript of somebody giving orders. Three things keep it one: it stands in
the user's turn only; it stands between marks made of its own hash, which no text can hold; and the brackets that
chat templates and markup are made of become look-alikes, so that no text can pose as the end of a turn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel

from aramega.backends.llm import Message, Request
from aramega.backends.llm.answers import answer_schema
from aramega.prompts import Prompt, fill
from aramega.records import Metadata
from aramega.text import clean

LONGEST_NAME = 200
"""Of a title or programme, in characters: some feeds put the whole article there."""

# Nobody speaks these, and every chat template's control tokens need some of them: <|im_end|>, [INST], </s>.
_LOOK_ALIKES = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")", "{": "(", "}": ")", "|": "¦"})


def make_request(
    prompt: Prompt, material: Mapping[str, str], limits: Mapping[str, int], answer: type[BaseModel], max_tokens: int
) -> Request:
    """A prompt with its material, asking for an answer of that kind."""
    messages = (
        Message("system", system_turn(prompt, limits)),
        Message("user", user_turn(prompt, material, limits)),
    )
    return Request(messages, answer_schema(answer), max_tokens)


def known_about(about: Metadata) -> dict[str, str]:
    """What a prompt may be told of a recording. It comes from manifests and tags, so it is material like what was said."""
    facts = {"title": about.title, "programme": about.programme, "channel": about.channel, "date": about.date}
    return {key: " ".join(value.split())[:LONGEST_NAME] for key, value in facts.items()}


def user_turn(prompt: Prompt, material: Mapping[str, str], limits: Mapping[str, int]) -> str:
    """The user's turn: the mark on a line of its own, then the template with each piece of material between marks."""
    safe = {key: as_data(value) for key, value in material.items()}
    mark = make_mark(safe)
    quoted = {key: _between(mark, value) for key, value in safe.items()}
    return f"{mark}\n{fill(prompt.user, {**quoted, **_as_text(limits)})}"


def system_turn(prompt: Prompt, limits: Mapping[str, int]) -> str:
    """The rules. The same for every passage, whatever was said there; so servers may cache it, too."""
    return fill(prompt.system, _as_text(limits))


def as_data(text: str) -> str:
    """Text that can open or close nothing: no brackets of markup, no control or direction characters but line ends."""
    lines = (clean(line) for line in text.translate(_LOOK_ALIKES).splitlines())
    return "\n".join(line for line in lines if line)


def make_mark(material: Mapping[str, str]) -> str:
    """A tag that stands nowhere in the material; the same material has the same, so a request is made twice alike."""
    whole, count = "\x00".join(material.values()), 0
    while (mark := f"مادة-{hashlib.sha256(f'{count}:{whole}'.encode()).hexdigest()[:16]}") in whole:
        count += 1
    return mark


def _between(mark: str, value: str) -> str:
    if not value:
        return ""
    gap = "\n" if "\n" in value else ""
    return f"<{mark}>{gap}{value}{gap}</{mark}>"


def _as_text(limits: Mapping[str, int]) -> dict[str, str]:
    return {key: str(value) for key, value in limits.items()}
