"""Plugins' facts as columns: a condition may name one as it names any column of `passage_facts`.

Only facts that the condition names are looked up, so that a plugin nobody asks about is not imported. A fact of a
stage that takes recordings is the same for all passages of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aramega.errors import AramegaError
from aramega.plugins import Fact, Plugin, find_plugins
from aramega.store.conditions import FACTS
from aramega.store.database import Store


def list_fact_values(store: Store, stage: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a plugin's stage says, by passage."""
    query = """SELECT p.id, e.json FROM passages p JOIN extras e ON e.stage = ? AND e.item IN (p.id, p.recording)
               ORDER BY p.id"""
    for passage, text in store._connection.execute(query, (stage,)):
        yield passage, json.loads(text)


def measure(plugin: Plugin, fact: Fact, passage: str, values: Mapping[str, Any]) -> float | None:
    """A plugin's fact; raises one clear line where the plugin does."""
    try:
        number = fact.of(values)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise AramegaError(f"fact {plugin.name} ({plugin.distribution}) of {passage}: {why}.") from error
    if number is None or isinstance(number, int | float):
        return number
    raise AramegaError(f"fact {plugin.name} ({plugin.distribution}) of {passage}: {number!r} is no number.")


def named_facts(condition: str) -> list[Plugin]:
    """The installed plugins' facts that an SQL condition names."""
    words = set(re.findall(r"\w+", condition))
    return [plugin for name, plugin in find_plugins("facts").items() if name in words]


@contextmanager
def with_plugin_facts(store: Store, condition: str) -> Iterator[None]:
    """Inside, the view of facts has a column for each plugin's fact that the condition names."""
    plugins = named_facts(condition)
    if not plugins:
        yield
        return
    troubles: list[AramegaError] = []
    columns = ", ".join(_add_function(store, plugin, troubles) for plugin in plugins)
    # A temporary view of the same name comes before the database's own; it is this connection's alone.
    store._connection.execute(f"CREATE TEMP VIEW {FACTS} AS SELECT f.*, {columns} FROM main.{FACTS} f")  # noqa: S608
    try:
        yield
    except Exception:
        if troubles:
            raise troubles[0] from None
        raise
    finally:
        store._connection.execute(f"DROP VIEW temp.{FACTS}")


def _add_function(store: Store, plugin: Plugin, troubles: list[AramegaError]) -> str:
    """Teach the connection to compute a fact; gives the column of it."""
    fact: Fact = plugin.load()
    store._connection.create_function(f"fact_{plugin.name}", 2, _fact_function(plugin, fact, troubles))
    stage = fact.stage.replace("'", "''")
    of_passage = f"e.stage = '{stage}' AND e.item IN (f.passage, f.recording)"
    return f'(SELECT "fact_{plugin.name}"(f.passage, e.json) FROM extras e WHERE {of_passage}) AS "{plugin.name}"'  # noqa: S608


def _fact_function(plugin: Plugin, fact: Fact, troubles: list[AramegaError]) -> Callable[[str, str], float | None]:
    def compute(passage: str, values: str) -> float | None:
        try:
            return measure(plugin, fact, passage, json.loads(values))
        except AramegaError as error:  # SQLite would only say that a function failed
            troubles.append(error)
            raise

    return compute
