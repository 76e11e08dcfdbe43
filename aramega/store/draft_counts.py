"""All drafts of a workspace in numbers: how many, by which models, and what was decided about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from aramega.records import Overview, Summary, Transcript
from aramega.store.database import Store
from aramega.store.rows import TABLES, revive


@dataclass(frozen=True)
class DraftCounts:
    """Sums over all drafts."""

    drafted: int
    """Passages with a transcript."""
    abstractive: int
    tokens: int
    """What language models read and wrote for the summaries."""
    subtitled: int
    """Passages whose recording has subtitles to compare with."""
    subtitles_cer: float | None
    repeated: int
    """Drafts that repeat another."""
    overviews: int


def count_drafts(store: Store) -> DraftCounts:
    """Sum up all drafts there are."""
    ask = store._connection.execute
    (drafted,) = ask("SELECT count(*) FROM transcripts t JOIN passages p ON p.id = t.passage").fetchone()
    abstractive, tokens = ask(
        "SELECT coalesce(sum(abstractive), 0), coalesce(sum(prompt_tokens + completion_tokens), 0) FROM summaries"
    ).fetchone()
    subtitled, cer = ask("SELECT count(*), avg(at_hand_cer) FROM transcripts WHERE at_hand <> ''").fetchone()
    (repeated,) = ask("SELECT count(*) FROM verdicts WHERE duplicate_of <> ''").fetchone()
    (overviews,) = ask("SELECT count(*) FROM overviews").fetchone()
    return DraftCounts(drafted, abstractive, tokens, subtitled, cer, repeated, overviews)


def list_models(store: Store, kind: type[Transcript | Summary], limit: int) -> tuple[str, ...]:
    """The models that drafts of a kind were made by."""
    query = f"SELECT DISTINCT model FROM {TABLES[kind].name} ORDER BY model LIMIT ?"  # noqa: S608
    return tuple(row[0] for row in store._connection.execute(query, (limit,)))


def longest_overviews(store: Store, limit: int) -> list[Overview]:
    """The overviews of the longest recordings that have one."""
    query = """SELECT o.* FROM overviews o JOIN recordings r ON r.id = o.recording
               ORDER BY r.seconds DESC, r.id LIMIT ?"""
    return [revive(Overview, row) for row in store._connection.execute(query, (limit,))]


def count_decisions(store: Store) -> dict[str, int]:
    """How many drafts are to be kept, reviewed first or rejected."""
    query = """SELECT v.decision, count(*) FROM verdicts v JOIN passages p ON p.id = v.passage
               GROUP BY v.decision ORDER BY v.decision"""
    return dict(store._connection.execute(query).fetchall())


def count_reasons(store: Store) -> Iterator[tuple[str, list[str], int, float]]:
    """Each decision and list of reasons for it: how many drafts, and how many hours of sound."""
    query = """SELECT v.decision, v.reasons, count(*), sum(p."end" - p.start) / 3600 FROM verdicts v
               JOIN passages p ON p.id = v.passage GROUP BY v.decision, v.reasons"""
    for decision, reasons, number, hours in store._connection.execute(query):
        yield decision, json.loads(reasons), number, hours
