"""Retry: ask a server again while its trouble may pass. One policy for object stores, Label Studio and the Hub.

The waits double from half a second to eight, each a random share of that, so that many workers do not come back at
the same moment. What is limited is the time spent waiting, not the time of the calls: an upload that breaks off after
ten minutes is tried again, too. Whoever calls knows which errors may pass; the last error is raised as it came.

- It repeats whatever it is given. Only for calls that may happen twice, or that ask first whether they happened.
- Not for language models (`backends/llm/endpoint.py`): a budget and a journal stand between two tries there.
- Not for a busy SQLite file, which has waits of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tenacity import RetryCallState

R = TypeVar("R")

PATIENCE = 30.0
"""Seconds of waiting, in all, before the last error is believed. A Label Studio restarts in twenty."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP answers of a server that is overloaded, or away for a moment."""

_log = logging.getLogger(__name__)


def retry(
    call: Callable[[], R],
    *,
    may_pass: Callable[[BaseException], bool],
    doing: str,
    patience: float = PATIENCE,
    say: Callable[[str], None] = _log.warning,
) -> R:
    """Return what `call` returns, calling again while its error may pass. Of its waits only the first is reported.

    `patience`: the most seconds to spend waiting; 0 calls once. `say` gets one line; without one it is logged."""
    from tenacity import Retrying, retry_if_exception, wait_random_exponential

    def say_once(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            error = state.outcome.exception()
            say(f"{doing}: {type(error).__name__}, trying again for up to {patience:g} s")

    retrying = Retrying(
        sleep=_sleep,
        stop=lambda state: state.idle_for + state.upcoming_sleep > patience,
        wait=wait_random_exponential(multiplier=2 * FIRST_WAIT, min=FIRST_WAIT / 2, max=LONGEST_WAIT),
        retry=retry_if_exception(may_pass),
        before_sleep=say_once,
        reraise=True,
    )
    return retrying(call)


def _sleep(seconds: float) -> None:
    if _waits:
        time.sleep(seconds)


_waits = True


@contextmanager
def without_waiting() -> Iterator[None]:
    """For tests: as many tries as ever, with no time between them."""
    global _waits  # noqa: PLW0603  the one switch; a parameter would have to travel through every client
    _waits = False
    try:
        yield
    finally:
        _waits = True
