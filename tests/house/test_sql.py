"""SQL on the workspace's database stands in aramega/store; elsewhere only where a module owns another database."""

from __future__ import annotations

import ast

from tests.house.code import modules

OWN_DATABASES = {
    "aramega/backends/llm/journal.py",  # the answers of language models
    "aramega/desk/index.py",  # the desk's index, in a temporary file
    "aramega/desk/published.py",
}
ASKING = {"connection", "execute", "executemany", "executescript"}


def test_only_the_store_asks_the_workspaces_database():
    asking = {
        module.path
        for module in modules()
        if module.room != "aramega/store"
        and any(isinstance(node, ast.Attribute) and node.attr in ASKING for node in ast.walk(module.tree))
    }
    assert asking == OWN_DATABASES
