"""A stage's name stands in `stages/names.py`; who must name a stage takes it from there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from aramega.stages import names

ROOT = Path(__file__).resolve().parents[2] / "aramega"
HOLDERS = {"stages", "config", "prompts"}
"""A stage's own room, its options, and its prompt, which have its name as theirs."""
NAMES = {value for key, value in vars(names).items() if key.isupper()}


def named_stages(source: str) -> Iterator[tuple[int, str]]:
    """Where a literal stands for a stage: compared with one's name, asked of marks, or in a query."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr == "stage":
            yield from ((node.lineno, c.value) for c in node.comparators if _names_stage(c))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("marks") and _names_stage(node.slice):
            yield node.lineno, node.slice.value
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Mark", "Finished", "Broken", "FunnelStep"}:
            yield from ((node.lineno, a.value) for a in node.args if _names_stage(a))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in re.finditer(r"stage\s*(?:=|<>|IN)\s*\(?\s*'(\w+)'", node.value):
                if found[1] in NAMES:
                    yield node.lineno, found[1]


def _names_stage(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in NAMES


def test_nobody_else_holds_a_stage_by_a_literal() -> None:
    modules = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in HOLDERS]
    assert len(NAMES) >= 8
    assert {
        f"{path.relative_to(ROOT)}:{line}: {name}" for path in modules for line, name in named_stages(path.read_text())
    } == set()


def test_each_way_of_naming_one_is_seen() -> None:
    source = """
if progress.stage == "ingest": pass
pipeline.marks["passages"]
Mark("check", "a")
query = "SELECT 1 FROM results WHERE stage = 'segment'"
"""
    assert [name for _, name in sorted(named_stages(source))] == ["ingest", "passages", "check", "segment"]
