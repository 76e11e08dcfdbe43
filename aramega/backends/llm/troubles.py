"""What to do about a request that failed: ask again, give the item up, or stop asking.

Worth asking again is what passes by itself: 429, 5xx, a timeout, a lost connection, a maintenance page. Not worth
it for anyone is a refused key, an unknown model, a wrong address, an empty account: all other requests would
fail alike. The rest is the request's own fault. Waiting times double, with full jitter (a random share of the
time), so that sixteen requests that failed together don't come back together.
"""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from aramega.backends.llm.dialects import NoChat
from aramega.display import one_line

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
LONGEST_ASKED_WAIT = 300.0
"""A server that asks for more is not busy, it is closed: daily quotas reset at midnight."""

TRIES_IN_VAIN = 3
"""Of a request that times out: the server worked on it each time, and a vendor's work is billed."""

_SECRETS = re.compile(r"(?i)\bbearer\s+\S+|\bsk-[\w*.…-]{4,}")


class Cure(Enum):
    AGAIN = "again"
    """It passes by itself, and if it doesn't, this request may be why."""
    AGAIN_OR_STOP = "again or stop"
    """It passes by itself, and if it doesn't, the server is why."""
    GIVE_UP = "give up"
    """This request will never be answered."""
    STOP = "stop"
    """No request will be."""


@dataclass(frozen=True)
class Trouble:
    """What went wrong, in a curator's words, and what helps."""

    cure: Cure
    what: str
    wait: float | None = None
    """Seconds the server asked for."""
    tries: int | None = None
    """So many are enough, where each may be billed."""
    unknown_model: bool = False
    """Or address: the names of the models it has may help."""


def diagnose(error: Exception, *, url: str, model: str, key: str, key_variable: str) -> Trouble:
    """What an error of the `openai` client means."""
    import openai

    if isinstance(error, openai.APITimeoutError | asyncio.TimeoutError):
        return Trouble(Cure.AGAIN, f"{url} did not answer in time (summarize.timeout)", tries=TRIES_IN_VAIN)
    if isinstance(error, openai.APIConnectionError):
        why = scrub(str(error.__cause__ or error), key).rstrip(".")
        return Trouble(Cure.AGAIN_OR_STOP, f"no connection to {url} ({why})")
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, url=url, model=model, key=key, key_variable=key_variable)
    if isinstance(error, NoChat | openai.APIError | ValueError):
        return Trouble(Cure.AGAIN_OR_STOP, f"{url} answers with something that is no chat ({scrub(str(error), key)})")
    raise error


def wait_before(attempt: int, asked_for: float | None, rng: random.Random) -> float:
    """Seconds before asking again, after failing for the `attempt`th time (from 0). Never less than was asked for."""
    if asked_for is not None:
        return asked_for + rng.uniform(0, FIRST_WAIT)
    return rng.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))


def scrub(text: str, key: str) -> str:
    """Text of a server's without the key it may have sent back, on one line, not too long."""
    text = text.replace(key, "***") if key else text
    return one_line(_SECRETS.sub("***", text), 200)


def asked_wait(headers: Any, now: datetime) -> float | None:
    """The seconds that Retry-After asks for, as a number or a date; None where it doesn't or can't be read."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        if not (retry_after := headers.get("retry-after")):
            return None
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", retry_after):
            return float(retry_after)
        until = parsedate_to_datetime(retry_after)
        until = until if until.tzinfo else until.replace(tzinfo=timezone.utc)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _of_status(error: Any, *, url: str, model: str, key: str, key_variable: str) -> Trouble:
    status, message = error.status_code, _server_words(error, key)
    wait = asked_wait(error.response.headers, datetime.now(timezone.utc))
    for_all = {
        401: f"refused the key in ${key_variable}" if key else f"asks for a key: set ${key_variable}",
        403: f"does not let the key in ${key_variable} in" if key else f"asks for a key: set ${key_variable}",
        404: f"has no model {model!r}, or no chat at that address",
    }.get(status)
    if getattr(error, "code", None) == "insufficient_quota":
        for_all = "says that the account's quota is used up"
    elif wait is not None and wait > LONGEST_ASKED_WAIT:
        for_all = f"asks to come back in {wait:,.0f} s"
    if for_all:
        return Trouble(Cure.STOP, f"{url} {for_all} ({status}{message})", unknown_model=status == 404)
    if status in (429, 503, 529):
        return Trouble(Cure.AGAIN_OR_STOP, f"{url} is too busy ({status}{message})", wait)
    if status in (408, 409, 425) or status >= 500:
        return Trouble(Cure.AGAIN, f"{url} failed ({status}{message})", wait)
    return Trouble(Cure.GIVE_UP, f"{url} did not take the request ({status}{message})")


def _server_words(error: Any, key: str) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return f": {scrub(str(message), key)}" if message else ""
