"""Drafts in the store: a passage with all that is known of it, and how passages are chosen.

`--where` speaks SQLite over the view `passage_facts`, one row a passage: what a curator would ask is a
question a database answers well, and its operators are documented elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from aramega.plugins import find_plugins
from aramega.records import AramegaError, Line, Word, from_dict
from aramega.store.conditions import FACTS, check_condition, reading_facts_only
from aramega.store.database import Store
from aramega.store.plugin_facts import with_plugin_facts


def segment_texts(store: Store, recording: str) -> dict[str, str]:
    """What was said in each segment of a recording, as far as anyone knows: settled by people, or drafted."""
    texts: dict[str, str] = {}
    query = """SELECT p.id, t.lines AS drafted, r.lines AS settled FROM passages p
               LEFT JOIN transcripts t ON t.passage = p.id
               LEFT JOIN resolved r ON r.passage = p.id AND r.reviews <> '[]'
               WHERE p.recording = ?"""
    for row in store._connection.execute(query, (recording,)):
        for line in json.loads(row["settled"] or "[]") or json.loads(row["drafted"] or "[]"):
            texts[line["segment"]] = line["text"]
    return texts


def segment_words(store: Store, recording: str) -> dict[str, tuple[Word, ...]]:
    """The words that were heard in each segment of a recording, with their times, where a recognizer gave any."""
    query = "SELECT t.lines FROM passages p JOIN transcripts t ON t.passage = p.id WHERE p.recording = ?"
    lines = [
        from_dict(Line, line) for row in store._connection.execute(query, (recording,)) for line in json.loads(row[0])
    ]
    return {line.segment: line.words for line in lines}


def find_passages(store: Store, where: str = "", order: str = "passage", limit: int | None = None) -> Iterator[str]:
    """The ids of the passages for which the SQL expression `where` is true; all of them if it is empty.

    They are listed before the first is given, so that the store may be written to meanwhile.
    """
    query = f"SELECT passage FROM {FACTS} WHERE ({where or '1'}\n) ORDER BY {order} LIMIT ?"  # noqa: S608
    try:
        with with_plugin_facts(store, f"{where} {order}"), reading_facts_only(store._connection):
            check_condition(store._connection, where or "1")
            rows = store._connection.execute(query, (-1 if limit is None else limit,)).fetchall()
    except sqlite3.Error as error:
        raise AramegaError(
            f"--where {where!r}: {error}. It is an SQLite expression over: {', '.join(passage_columns(store))}. "
            "For example: priority > 0.5 AND dialect = 'EGY'."
        ) from None
    return (row[0] for row in rows)


def passage_columns(store: Store) -> list[str]:
    """What `find_passages` can be asked about: ours and plugins' facts."""
    ours = [row["name"] for row in store._connection.execute("PRAGMA table_info(passage_facts)")]
    return [*ours, *find_plugins("facts")]
