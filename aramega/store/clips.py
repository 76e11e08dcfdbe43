"""Clips in the store: which clips rows name, and which passages people have worked on.

A passage that somebody reviewed, or is about to (its task waits in a Label Studio), is in people's hands: its clip and
its draft are kept even where the passage itself has been cut otherwise since.
"""
# ruff: noqa: S608  every name put into SQL here is a table's or a column's of ours

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aramega.stages.names import PASSAGES
from aramega.store.database import Store
from aramega.store.rows import PEOPLE


@dataclass(frozen=True)
class PassageClip:
    """The clip that a passage's row names."""

    passage: str
    path: str
    sha256: str


def is_in_hands(passage: str, schema: str = "main") -> str:
    """SQL that is true where people have worked on, or are to work on, the passage that `passage` names."""
    conditions = (f"{passage} IN (SELECT passage FROM {schema}.{table})" for table in PEOPLE)
    return f"({' OR '.join(conditions)})"


def recording_of(passage: str) -> str:
    """The recording that a passage's id says it is of."""
    return passage.rsplit("-", 2)[0]


def id_range(recording: str) -> tuple[str, str]:
    """The ids of a recording's passages and segments, as the half-open range they sort into."""
    return f"{recording}-", f"{recording}."  # "." sorts right after "-"


def list_clips(store: Store) -> Iterator[PassageClip]:
    """The clip of each passage, in the order of their ids."""
    for row in store._connection.execute("SELECT id, clip, clip_sha256 FROM passages ORDER BY id"):
        yield PassageClip(*row)


def list_lost_passages(store: Store) -> list[str]:
    """The passages whose row is gone and that people have worked on, by id."""
    union = " UNION ".join(f"SELECT passage FROM {table}" for table in PEOPLE)
    query = f"SELECT passage FROM ({union}) WHERE passage NOT IN (SELECT id FROM passages) ORDER BY passage"
    return [row[0] for row in store._connection.execute(query)]


def is_passage_named(store: Store, passage: str) -> bool:
    """Whether the passage has a row, or people have worked on it."""
    query = f"SELECT EXISTS (SELECT 1 FROM passages WHERE id = ?1) OR {is_in_hands('?1')}"
    return bool(store._connection.execute(query, (passage,)).fetchone()[0])


def is_cut_done(store: Store, passage: str) -> bool:
    """Whether the passages of the passage's recording stand, and do not wait to be cut anew."""
    query = f"""SELECT 1 FROM passages p CROSS JOIN results k ON k.stage = '{PASSAGES}' AND k.item = p.recording
                WHERE p.id = ?"""
    return store._connection.execute(query, (passage,)).fetchone() is not None
