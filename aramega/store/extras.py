"""Extras: what plugins' stages say of an item, one row a stage and item, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aramega.records import Extra
from aramega.store.database import Store


def write_extra(store: Store, stage: str, item: str, extra: Extra | None) -> None:
    """Make `extra` what the stage says of the item, inside the caller's transaction; without one it says nothing."""
    store._connection.execute("DELETE FROM extras WHERE stage = ? AND item = ?", (stage, item))
    if extra:
        row = (stage, item, json.dumps(dict(extra.values), ensure_ascii=False, sort_keys=True))
        store._connection.execute("INSERT INTO extras VALUES (?, ?, ?)", row)


def list_extras(store: Store, stage: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a stage says, by item."""
    for item, text in store._connection.execute(
        "SELECT item, json FROM extras WHERE stage = ? ORDER BY item", (stage,)
    ):
        yield item, json.loads(text)
