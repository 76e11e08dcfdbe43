"""Sources in the store: the files as the curator named them, and which recording each one holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict

from aramega.records import Metadata, Source, from_dict
from aramega.stages.names import INGEST
from aramega.store.database import Store


def note_sources(store: Store, sources: Iterable[tuple[Source, int | None, int | None]]) -> None:
    """Note what the curator named, with size and time of change; a file that changed is to be ingested again."""
    with store.transaction():
        for source, size, mtime_ns in sources:
            _note_source(store, source, size, mtime_ns)


def _note_source(store: Store, source: Source, size: int | None, mtime_ns: int | None) -> None:
    ask = store._connection.execute
    metadata = json.dumps({k: v for k, v in asdict(source.metadata).items() if v}, ensure_ascii=False)
    row = ask("SELECT size, mtime_ns FROM sources WHERE path = ?", (source.path,)).fetchone()
    if row is None:
        new = (source.path, size, mtime_ns, metadata)
        ask("INSERT INTO sources (path, size, mtime_ns, metadata) VALUES (?, ?, ?, ?)", new)
        return
    if metadata != "{}":
        ask("UPDATE sources SET metadata = ? WHERE path = ?", (metadata, source.path))
    if (row["size"], row["mtime_ns"]) != (size, mtime_ns) and size is not None:
        ask("UPDATE sources SET size = ?, mtime_ns = ? WHERE path = ?", (size, mtime_ns, source.path))
        for table in ("results", "failures"):
            ask(f"DELETE FROM {table} WHERE stage = '{INGEST}' AND item = ?", (source.path,))  # noqa: S608


def list_sources(store: Store) -> Iterator[Source]:
    """Every file that was named, by path."""
    for row in store._connection.execute("SELECT path, metadata FROM sources ORDER BY path"):
        yield _revive_source(row)


def load_sources(store: Store, paths: Sequence[str]) -> list[Source]:
    """The files under these paths."""
    query = "SELECT s.path, s.metadata FROM json_each(?) v CROSS JOIN sources s ON s.path = v.value"
    return [_revive_source(row) for row in store._connection.execute(query, (json.dumps(list(paths)),))]


def _revive_source(row: sqlite3.Row) -> Source:
    return Source(row["path"], from_dict(Metadata, json.loads(row["metadata"])))


def source_paths(store: Store, recording: str) -> list[str]:
    """Where a recording's bytes are, as the curator named them."""
    rows = store._connection.execute("SELECT path FROM sources WHERE recording = ? ORDER BY path", (recording,))
    return [row[0] for row in rows]


def bytes_to_ingest(store: Store, limit: int | None) -> dict[str, int]:
    """The size of each file that is to be opened: what a progress bar counts down."""
    query = f"""SELECT path, size FROM sources WHERE recording IS NULL AND path NOT IN
               (SELECT item FROM failures WHERE stage = '{INGEST}') ORDER BY path LIMIT ?"""  # noqa: S608
    rows = store._connection.execute(query, (-1 if limit is None else limit,))
    return {row["path"]: row["size"] or 0 for row in rows}


def forget_misnamed(store: Store, named: Sequence[str], gone: Callable[[str], bool]) -> None:
    """Drop what was wrong with the names and manifests named again, and files that went before they were read."""
    ask = store._connection.execute
    stray = f"SELECT item FROM failures WHERE stage = '{INGEST}' AND item NOT IN (SELECT path FROM sources)"  # noqa: S608
    unread = "SELECT path FROM sources WHERE recording IS NULL"
    with store.transaction():
        for (item,) in ask(stray).fetchall():
            if any(item == name or item.startswith((f"{name}:", f"{name}/")) for name in named):
                ask(f"DELETE FROM failures WHERE stage = '{INGEST}' AND item = ?", (item,))  # noqa: S608
        for (path,) in ask(unread).fetchall():
            if gone(path):
                ask("DELETE FROM sources WHERE path = ?", (path,))
                ask(f"DELETE FROM failures WHERE stage = '{INGEST}' AND item = ?", (path,))  # noqa: S608
