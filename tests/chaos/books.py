"""What a build has to show after a storm: everything a calm one has, and each of it once."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.maintenance.looking import rows, timeless

Books = dict[str, object]
Written = dict[tuple[str, str], tuple[str, float]]


def books(root: Path) -> Books:
    """All that a build promises to be the same: every row but for times of day, every clip and all frames, byte for
    byte; and that nothing is left lying about."""
    tables = rows(root) if (root / "aramega.db").exists() else {}
    if "results" not in tables:
        return {"database": "no tables"}
    failures = [row[:4] for row in tables["failures"]]
    with closing(sqlite3.connect(root / "aramega.db")) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
    left = [str(p.relative_to(root)) for p in root.rglob("*") if p.suffix in (".part", ".s16")]
    return {**timeless(root), "failures": failures, "database": sound, "left lying about": left}


def kept_on(store: Any, folder: str) -> Books:
    """What lies in a folder of an object store, by what it holds."""
    found = store.find(folder)
    return {f"s3:{path.removeprefix(folder)}": hashlib.sha256(store.cat_file(path)).hexdigest() for path in found}


def differences(calm: Books, stormy: Books) -> list[str]:
    """What differs, by name, and by how much where that can be counted."""
    found = []
    for name in sorted({*calm, *stormy}):
        before, after = calm.get(name), stormy.get(name)
        if before == after:
            continue
        if isinstance(before, list) and isinstance(after, list):
            gone, new = [r for r in before if r not in after], [r for r in after if r not in before]
            found.append(f"{name}: {len(gone)} gone {gone[:2]}, {len(new)} new {new[:2]}"[:600])
        else:
            found.append(f"{name}: {str(before)[:80]} became {str(after)[:80]}")
    return found


def written(root: Path) -> Written:
    """When each result was written, and how long it took: together they tell one writing from another."""
    if not (root / "aramega.db").exists():  # to look would be to make it
        return {}
    try:
        with closing(sqlite3.connect(root / "aramega.db")) as connection:
            found = connection.execute("SELECT stage, item, finished_at, took FROM results WHERE item <> 'workspace'")
            return {(stage, item): (finished_at, took) for stage, item, finished_at, took in found}
    except sqlite3.OperationalError:  # killed before there were tables
        return {}


def unexpected_failures(root: Path, calm: Books) -> list[tuple[object, ...]]:
    """Failures that a calm build does not have."""
    known = calm["failures"]
    assert isinstance(known, list)
    if not (root / "aramega.db").exists():
        return []
    return [row[:4] for row in rows(root).get("failures", []) if row[:4] not in known]
