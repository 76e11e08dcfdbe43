"""The one error that scripts show as a message: what a person can cause and mend, said without a traceback."""

from __future__ import annotations


class RecipeError(Exception):
    """Says what is wrong, where, and what to do."""


class NoSuchSplit(RecipeError):
    """A dataset that is there, without the split that was asked for."""
