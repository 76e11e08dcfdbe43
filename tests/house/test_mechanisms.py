"""One mechanism each: what stands at the bottom of the house is not made a second time further up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.code import Module, modules


def attributes_of(module: Module, library: str) -> Iterator[str]:
    """What a module takes from a library: `library.name` and `from library import name`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == library:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == library:
            yield node.attr


def users_of(library: str, *names: str) -> set[str]:
    return {m.path for m in modules() if m.room.startswith("aramega/") and set(names) & set(attributes_of(m, library))}


def test_files_are_locked_in_one_place():
    assert users_of("fcntl", "flock", "lockf") == {"aramega/locks.py"}


def test_servers_are_asked_again_in_one_place():
    assert users_of("tenacity", "Retrying", "retry") == {"aramega/retry.py"}


def test_pages_are_made_in_one_place():
    assert users_of("jinja2", "Environment") == {"aramega/html.py"}
