"""Judging: once a build's stages have done what they can, every draft gets its verdict in the light of all the others.

This is the one thing that looks at the whole workspace at once, so it belongs to no stage: near-duplicates are found
over all signatures, then each draft's facts go through the rules. It is done anew when a draft or a rule has changed,
and in one transaction.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping

from aramega.config import CheckConfig
from aramega.config.check import FACTS, read_rule
from aramega.errors import AramegaError
from aramega.plugins import Fact, Plugin, get_plugin
from aramega.records import Verdict
from aramega.settle.verdicts import Facts, judge
from aramega.stages.names import CHECK
from aramega.store import Mark, Store
from aramega.store.extras import list_extras
from aramega.store.results import is_stale, list_result_fingerprints, note_result
from aramega.store.rows import replace_rows
from aramega.text.near_duplicates import find_duplicates, stack

_FACTS = """
    SELECT c.*, p.snr_db, p.bandwidth_hz, p."end" - p.start AS seconds, t.at_hand_cer AS subtitles_cer,
        json_extract(l.dialect, '$[0].score') AS dialect_score, json_array_length(c.unsupported_numbers) AS numbers,
        json_array_length(c.unsupported_names) AS names
    FROM checks c JOIN passages p ON p.id = c.passage JOIN transcripts t ON t.passage = c.passage
        LEFT JOIN labels l ON l.passage = c.passage
    ORDER BY c.passage
"""
_TOLD_ELSEWHERE = frozenset({"unsupported_numbers", "unsupported_names", "flags", "signature", "passage"})


def judge_drafts(store: Store, options: CheckConfig) -> int:
    """Decide about every checked draft, if anything has changed since; how many were decided about."""
    mark = Mark("judge", _digest(store, options))
    if not mark.fingerprint or not is_stale(store, mark, _EVERYTHING):
        return 0
    repeats, extras = _find_repeats(store, options), _plugin_facts(store, options)
    judged = 0
    with store.transaction():
        store.connection.execute("DELETE FROM verdicts")
        for row in store.connection.execute(_FACTS):
            verdict = judge(_facts(row, repeats, extras.get(row["passage"], {})), options)
            replace_rows(store.connection, Verdict, verdict.passage, [verdict])
            judged += 1
        note_result(store, mark, _EVERYTHING, made=judged)
    return judged


_EVERYTHING = "workspace"


def _digest(store: Store, options: CheckConfig) -> str:
    """What verdicts depend on: the rules, and which drafts were checked under which fingerprint; empty where none was.
    Made of content alone, so that a build that was killed ends with the same books as a calm one."""
    told = hashlib.sha256(json.dumps(options.model_dump(mode="json")).encode())
    query = f"""SELECT k.item, k.fingerprint FROM results k JOIN passages p ON p.id = k.item
               WHERE k.stage = '{CHECK}' ORDER BY k.item"""  # noqa: S608
    checked = 0
    for item, fingerprint in store.connection.execute(query):
        told.update(f"{item} {fingerprint}\n".encode())
        checked += 1
    for plugin, fact in _asked_facts(options).items():
        told.update(f"{plugin.name} {plugin.distribution}\n".encode())
        for item, fingerprint in list_result_fingerprints(store, fact.stage):
            told.update(f"{item} {fingerprint}\n".encode())
    return told.hexdigest()[:16] if checked else ""


def _find_repeats(store: Store, options: CheckConfig) -> dict[str, tuple[str, float]]:
    """Each passage that repeats an earlier one, by id, with that one and the likeness."""
    query = """SELECT c.passage, c.signature FROM checks c JOIN passages p ON p.id = c.passage
               WHERE c.signature <> '' ORDER BY c.passage"""
    passages, signatures = [], []
    for passage, signature in store.connection.execute(query):
        passages.append(passage)
        signatures.append(bytes.fromhex(signature))
    found = find_duplicates(stack(signatures), options.near_duplicate)
    return {passages[row]: (passages[first], likeness) for row, first, likeness in found}


def _asked_facts(options: CheckConfig) -> dict[Plugin, Fact]:
    """The plugins' facts that a rule asks about."""
    rules = [read_rule(text) for text in (*options.reject, *options.review_first)]
    names = sorted({name for rule in rules for name, _, _ in rule.terms} - FACTS.keys())
    plugins = [get_plugin("facts", name) for name in names]
    return {plugin: plugin.load() for plugin in plugins}


def _plugin_facts(store: Store, options: CheckConfig) -> dict[str, dict[str, float | None]]:
    """By passage, what the plugins' facts are that a rule asks about."""
    facts: dict[str, dict[str, float | None]] = {}
    for plugin, fact in _asked_facts(options).items():
        for passage, values in list_extras(store, fact.stage):
            try:
                facts.setdefault(passage, {})[plugin.name] = fact.of(values)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise AramegaError(f"fact {plugin.name} ({plugin.distribution}) of {passage}: {why}.") from error
    return facts


def _facts(row: sqlite3.Row, repeats: dict[str, tuple[str, float]], extras: Mapping[str, float | None]) -> Facts:
    passage = row["passage"]
    first, likeness = repeats.get(passage, ("", 0.0))
    known = {name: row[name] for name in row.keys() if name not in _TOLD_ELSEWHERE}  # noqa: SIM118
    known |= {"similarity": likeness, "unsupported_numbers": row["numbers"], "unsupported_names": row["names"]}
    return Facts(passage, {**known, **extras}, first)
