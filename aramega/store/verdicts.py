"""Verdicts in the store: what they are given from, over the whole workspace, and all of them written at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aramega.records import Verdict
from aramega.stages.names import CHECK
from aramega.store.database import Store
from aramega.store.pending import Mark
from aramega.store.results import note_result
from aramega.store.rows import insert_rows


def list_checked(store: Store) -> Iterator[tuple[str, str]]:
    """Each checked passage that is there and the fingerprint it was checked under, by id."""
    query = f"""SELECT k.item, k.fingerprint FROM results k JOIN passages p ON p.id = k.item
                WHERE k.stage = '{CHECK}' ORDER BY k.item"""  # noqa: S608
    for row in store._connection.execute(query):
        yield row[0], row[1]


def list_signatures(store: Store) -> Iterator[tuple[str, bytes]]:
    """Each passage whose words have a signature to be compared by, by id."""
    query = """SELECT c.passage, c.signature FROM checks c JOIN passages p ON p.id = c.passage
               WHERE c.signature <> '' ORDER BY c.passage"""
    for row in store._connection.execute(query):
        yield row[0], bytes.fromhex(row[1])


def list_measured(store: Store, passages: Sequence[str] | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each checked passage, or each of these, its recording, and all that is measured of it alone, by name."""
    # CROSS JOIN: from the few passages to their rows, by the table's key.
    checks = "checks c" if passages is None else "json_each(?) v CROSS JOIN checks c ON c.passage = v.value"
    query = f"""
        SELECT c.*, p.recording, p.snr_db, p.bandwidth_hz, p."end" - p.start AS seconds, t.at_hand_cer AS subtitles_cer,
            json_extract(l.dialect, '$[0].score') AS dialect_score, json_array_length(c.unsupported_numbers) AS numbers,
            json_array_length(c.unsupported_names) AS names
        FROM {checks} JOIN passages p ON p.id = c.passage JOIN transcripts t ON t.passage = c.passage
            LEFT JOIN labels l ON l.passage = c.passage
        ORDER BY c.passage
    """  # noqa: S608
    for row in store._connection.execute(query, () if passages is None else (json.dumps(list(passages)),)):
        measured = {name: row[name] for name in row.keys() if name not in _NO_NUMBER}  # noqa: SIM118
        measured["unsupported_numbers"], measured["unsupported_names"] = measured.pop("numbers"), measured.pop("names")
        yield row["passage"], row["recording"], measured


_NO_NUMBER = frozenset(
    {"unsupported_numbers", "unsupported_names", "flags", "signature", "passage", "recording", "evidence"}
)


def replace_verdicts(store: Store, verdicts: Iterable[Verdict], mark: Mark, item: str) -> int:
    """Make these the only verdicts, and note that they were given; how many there are."""
    with store.transaction():
        store._connection.execute("DELETE FROM verdicts")
        given = insert_rows(store._connection, Verdict, verdicts)
        note_result(store, mark, item, count=given)
    return given
