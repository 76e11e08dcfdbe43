"""The errors of ours. By themselves, so that the command line can catch them before anything else is loaded."""

from __future__ import annotations


class AramegaError(Exception):
    """Something a user can cause and mend; shown as one line, never as a traceback."""


class NotNow(AramegaError):
    """An item is left for a later run, through no fault of its own: a budget is spent, a server is down."""


def quoted(words: object, most: int = 200) -> str:
    """Somebody else's words inside a line of ours: nothing in them moves a terminal's cursor or changes the line's
    direction, and what nobody would read to its end is cut."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(words)[: most + 1])
    return text if len(text) <= most else f"{text[:most]}…"
