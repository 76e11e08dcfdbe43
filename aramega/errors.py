"""The errors of ours. By themselves, so that the command line can catch them before anything else is loaded."""

from __future__ import annotations


class AramegaError(Exception):
    """Something a user can cause and mend; shown as one line, never as a traceback."""


class NotNow(AramegaError):
    """Nothing is wrong, and it can't be done now: a budget is spent, a server is down, another build is at work."""
