"""Rows that may go: drafts and books of items that are no more, or that were made under other options than today's.

What people have worked on stays, with its draft. What is a rule here is a condition on one table; who takes rows away
asks for the rules that are wanted, and rows go that any of them is true of.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aramega.records import Check, Extra, Overview, Verdict
from aramega.stages.base import Stage, Takes
from aramega.stages.names import INGEST
from aramega.store.clips import is_in_hands
from aramega.store.database import Store
from aramega.store.pending import Mark
from aramega.store.rows import DRAFTS, TABLES


@dataclass(frozen=True)
class Rule:
    """Which rows of a table may go: an SQL condition and its values."""

    table: str
    where: str
    values: tuple[str, ...] = ()


def count_rows(store: Store, rules: Sequence[Rule]) -> dict[str, int]:
    """How many rows of each table the rules are true of."""
    return {
        table: int(store._connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()[0])
        for table, where, values in _by_table(rules)
    }


def delete_rows(store: Store, rules: Sequence[Rule]) -> dict[str, int]:
    """Delete the rows the rules are true of, all or none; how many went, by table."""
    with store.transaction():
        return {
            table: store._connection.execute(f"DELETE FROM {table} WHERE {where}", values).rowcount
            for table, where, values in _by_table(rules)
        }


def of_nothing() -> list[Rule]:
    """Drafts and books of items that are no more. The judge's book is over the whole workspace, and of no item."""
    gone = "NOT IN (SELECT id FROM passages)"
    rules = [Rule(table, f"passage {gone} AND NOT {is_in_hands('passage')}") for table in DRAFTS]
    rules.append(Rule(TABLES[Overview].name, "recording NOT IN (SELECT id FROM recordings)"))
    no_item = f"""item {gone} AND item NOT IN (SELECT id FROM recordings) AND item NOT IN (SELECT path FROM sources)
                  AND (stage, item) <> ('judge', 'workspace') AND NOT {is_in_hands("item")}"""
    rules.append(Rule("extras", no_item))
    # A name or a manifest line that was wrong fails as an item of its own: of no source, and worth knowing.
    return [*rules, Rule("results", no_item), Rule("failures", f"{no_item} AND stage <> '{INGEST}'")]


def of_other_options(stages: Sequence[Stage[Any]], marks: Mapping[str, Mark]) -> list[Rule]:
    """Drafts that were made under other options than today's, and their books. A stage that is not asked for today
    has no options to be held against, so what it made stays."""
    drafting = [stage for stage in stages if _makes_drafts(stage)]
    return [rule for stage in drafting for rule in _rules_for(stage, marks[stage.name])]


def count_outdated(store: Store, stages: Sequence[Stage[Any]], marks: Mapping[str, Mark]) -> int:
    """How many results were made under other options than today's, stage by stage."""
    rules = [rule for rule in of_other_options(stages, marks) if rule.table == "results"]
    return sum(sum(count_rows(store, [rule]).values()) for rule in rules)


def _rules_for(stage: Stage[Any], mark: Mark) -> Iterator[Rule]:
    values = (mark.stage, mark.fingerprint)
    if Extra in stage.makes:
        outdated = "item NOT IN (SELECT item FROM results WHERE stage = ? AND fingerprint = ?)"
        yield Rule("extras", f"stage = ? AND {outdated} AND NOT {is_in_hands('item')}", (mark.stage, *values))
    records = [kind for kind in stage.makes if kind is not Extra]
    for kind in [*records, Verdict] if Check in stage.makes else records:  # a verdict is over a check
        table = TABLES[kind]
        current = f"{table.owner} IN (SELECT item FROM results WHERE stage = ? AND fingerprint = ?)"
        yield Rule(table.name, f"NOT {current} AND NOT {is_in_hands(table.owner)}", values)
    for table_name in ("results", "failures"):
        yield Rule(table_name, f"stage = ? AND fingerprint <> ? AND NOT {is_in_hands('item')}", values)


def _makes_drafts(stage: Stage[Any]) -> bool:
    return stage.takes is Takes.PASSAGE or Overview in stage.makes


def _by_table(rules: Sequence[Rule]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """One condition a table, in the order the tables first come: drafts before the books they are judged by."""
    for table in dict.fromkeys(rule.table for rule in rules):
        mine = [rule for rule in rules if rule.table == table]
        yield table, " OR ".join(f"({rule.where})" for rule in mine), tuple(v for rule in mine for v in rule.values)
