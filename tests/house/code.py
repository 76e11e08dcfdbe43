"""The source files of the package and of the recipes, parsed: what the checks of the house are made from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: str
    """From the repository's root: `aramega/store/rows.py`."""
    lines: int
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def room(self) -> str:
        """`aramega/store`, or the module itself where it is a room of its own."""
        return "/".join(self.path.split("/")[:2])


@cache
def modules() -> tuple[Module, ...]:
    paths = [path for package in ("aramega", "recipes") for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(ROOT).as_posix(), len(text.splitlines()), ast.parse(text))


def imports(module: Module) -> set[str]:
    """The modules of ours that it imports, whether at its top, inside a function or for the type checker only."""
    names = {other.name for other in modules()}
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {full if (full := f"{node.module}.{alias.name}") in names else node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & names - {module.name}


def circles() -> list[set[str]]:
    """Groups of modules of which each imports all others, by way of others."""
    arrows = {module.name: imports(module) for module in modules()}
    reachable = {name: _reachable(name, arrows) for name in arrows}
    groups = {
        frozenset(other for other in arrows if other in reachable[name] and name in reachable[other]) for name in arrows
    }
    return [set(group) for group in groups if len(group) > 1]


def _reachable(name: str, arrows: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        for other in arrows[waiting.pop()] - reached:
            reached.add(other)
            waiting.append(other)
    return reached


def long_functions(most: int) -> dict[str, int]:
    """Functions of more than so many lines, as `aramega/store/rows.py:revive`, and their lines."""
    return {
        f"{module.path}:{node.name}": length
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > most
    }


def bound_names(module: Module) -> Iterator[str]:
    """Every name that the module's functions give to a value: variables and parameters."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
