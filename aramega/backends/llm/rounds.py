"""Talks in rounds: all that every talk wants to ask now, then all the answers, until each has come to its end.

For models that answer many requests as one batch, and for working out what would be asked without asking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aramega.backends.llm import Reply, Request, Talk

AnswerAll = Callable[[Sequence[Request]], Sequence[Reply | Exception]]


def hold_in_rounds(talks: Sequence[Talk[Any]], answer_all: AnswerAll) -> list[Any]:
    """What each talk returns, or the exception it ended with. A request that fails ends its talk only."""
    ends: list[Any] = [None] * len(talks)
    asking: dict[int, Sequence[Request]] = {}
    for i, talk in enumerate(talks):
        _go_on(i, talk, None, asking, ends)
    while asking:
        now, asking = asking, {}
        replies = iter(answer_all([request for requests in now.values() for request in requests]))
        for i, requests in now.items():
            _go_on(i, talks[i], [next(replies) for _ in requests], asking, ends)
    return ends


def _go_on(
    i: int,
    talk: Talk[Any],
    replies: Sequence[Reply | Exception] | None,
    asking: dict[int, Sequence[Request]],
    ends: list[Any],
) -> None:
    """Give a talk its replies and note what it asks next, or how it ended."""
    failed = next((reply for reply in replies or () if isinstance(reply, Exception)), None)
    if failed:
        ends[i] = failed
        return
    try:
        asking[i] = next(talk) if replies is None else talk.send([r for r in replies if isinstance(r, Reply)])
    except StopIteration as end:
        ends[i] = end.value
    except Exception as error:  # noqa: BLE001  whatever one talk does, the others go on
        ends[i] = error
