"""The command line calls the API: what it imports to run is the API, options, and what shows results."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.code import Module, modules

CALLED = {"api", "cli", "config"}
SHOWS = {"display", "errors", "version", "sample", "monitor", "settle", "stages"}
"""Rooms whose words or pictures of a result the command line prints: a status, a word difference, a stage's name."""


def imported_at_run_time(module: Module) -> Iterator[str]:
    """Rooms that the module imports, but for the type checker."""
    for_types = {
        inner
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node not in for_types and (node.module or "").startswith("aramega."):
            yield (node.module or "").split(".")[1]


def test_the_command_line_calls_the_api_and_nothing_else():
    wrong = {
        module.path: sorted(rooms)
        for module in modules()
        if module.room == "aramega/cli" and (rooms := set(imported_at_run_time(module)) - CALLED - SHOWS)
    }
    assert wrong == {}
