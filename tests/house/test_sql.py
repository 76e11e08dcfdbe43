"""SQL on the workspace's database stands in aramega/store; elsewhere only where a module owns another database."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.code import ROOT, modules

OWN_DATABASES = {
    "aramega/backends/llm/journal.py",  # the answers of language models
    "aramega/desk/index.py",  # the desk's index, in a temporary file
    "aramega/desk/published.py",
}
ASKING = {"connection", "_connection", "execute", "executemany", "executescript"}


def test_only_the_store_asks_the_workspaces_database():
    asking = {
        module.path
        for module in modules()
        if module.room != "aramega/store"
        and any(isinstance(node, ast.Attribute) and node.attr in ASKING for node in ast.walk(module.tree))
    }
    assert asking == OWN_DATABASES


def test_tests_and_benchmarks_have_the_stores_connection_from_one_place():
    paths = [path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    having = {path.relative_to(ROOT).as_posix() for path in paths if "store._connection" in path.read_text("utf-8")}
    assert having - {Path(__file__).relative_to(ROOT).as_posix()} == {"tests/support/database.py"}
