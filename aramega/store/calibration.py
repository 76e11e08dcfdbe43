"""What was learned from reviews, in the store: one calibration at most, the latest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aramega.store.database import Store


def write_calibration(store: Store, values: Mapping[str, Any]) -> None:
    """Make this the workspace's calibration."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True)
    with store.transaction():
        store._connection.execute("INSERT OR REPLACE INTO calibration VALUES (1, ?)", (text,))


def load_calibration(store: Store) -> Mapping[str, Any] | None:
    """The workspace's calibration as it was written; None before the first."""
    row = store._connection.execute("SELECT json FROM calibration WHERE number = 1").fetchone()
    return json.loads(row[0]) if row else None


def count_reviewed_by_recording(store: Store) -> dict[str, int]:
    """Of how many passages of each recording somebody has sent a review."""
    query = """SELECT p.recording, count(DISTINCT p.id) FROM passages p JOIN reviews r ON r.passage = p.id
               WHERE r.state = 'submitted' GROUP BY p.recording"""
    return dict(store._connection.execute(query).fetchall())
