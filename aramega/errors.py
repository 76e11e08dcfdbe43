"""The errors of ours. By themselves, so that the command line can catch them before anything else is loaded."""

from __future__ import annotations


class AramegaError(Exception):
    """Something a user can cause and mend; shown as one line, never as a traceback."""


class NotNow(AramegaError):
    """An item is left for a later run, through no fault of its own: a budget is spent, a server is down."""
