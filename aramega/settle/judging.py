"""Judging: once a build's stages have done what they can, every draft gets its verdict in the light of all the others.

This is the one thing that looks at the whole workspace at once, so it belongs to no stage: near-duplicates are found
over all signatures, then each draft's facts go through the rules. It is done anew when a draft or a rule has changed,
and in one transaction.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from aramega.config import CheckConfig
from aramega.config.check import FACTS, asked_facts
from aramega.plugins import Fact, Plugin, get_plugin
from aramega.records import Verdict
from aramega.settle.at_random import at_random_place, is_drawn
from aramega.settle.reviewed_drafts import find_calibration
from aramega.settle.verdicts import Facts, judge
from aramega.store import Mark, Store
from aramega.store.calibration import count_reviewed_by_recording, load_calibration
from aramega.store.plugin_facts import list_fact_values, measure
from aramega.store.results import is_stale, list_result_fingerprints
from aramega.store.verdicts import list_checked, list_measured, list_signatures, replace_verdicts
from aramega.text.near_duplicates import find_duplicates, stack

_EVERYTHING = "workspace"
"""The item that verdicts are the result for: they are over all drafts."""


def judge_drafts(store: Store, options: CheckConfig) -> int:
    """Decide about every checked draft, if anything has changed since; how many were decided about."""
    mark = Mark("judge", _digest(store, options))
    if not mark.fingerprint or not is_stale(store, mark, _EVERYTHING):
        return 0
    repeats, extras = _find_repeats(store, options), _plugin_facts(store, options)
    learned = find_calibration(store)
    reviewed = count_reviewed_by_recording(store) if learned else {}

    def judged() -> Iterator[Verdict]:
        for passage, recording, measured in list_measured(store):
            facts = _facts(passage, measured, repeats, extras.get(passage, {}))
            yield judge(replace(facts, reviewed_beside=reviewed.get(recording, 0)), options, learned)

    return replace_verdicts(store, _with_some_at_random(judged, options.random_share), mark, _EVERYTHING)


def _with_some_at_random(judged: Callable[[], Iterator[Verdict]], share: float) -> Iterator[Verdict]:
    """The verdicts, a share of them at a random place in the others' order. They are made twice rather than kept."""
    if not share:
        yield from judged()
        return
    others = (v.priority for v in judged() if v.decision != "reject" and not is_drawn(v.passage, share))
    order = array("d", sorted(array("d", others)))
    for verdict in judged():
        yield at_random_place(verdict, order) if is_drawn(verdict.passage, share) else verdict


def _digest(store: Store, options: CheckConfig) -> str:
    """What verdicts depend on: the rules, and which drafts were checked under which fingerprint; empty where none was.
    Made of content alone, so that a build that was killed ends with the same books as a calm one."""
    digest = hashlib.sha256(json.dumps(options.model_dump(mode="json")).encode())
    if learned := load_calibration(store):
        digest.update(json.dumps([learned, count_reviewed_by_recording(store)], sort_keys=True).encode())
    checked = 0
    for item, fingerprint in list_checked(store):
        digest.update(f"{item} {fingerprint}\n".encode())
        checked += 1
    for plugin, fact in _asked_facts(options).items():
        digest.update(f"{plugin.name} {plugin.distribution}\n".encode())
        for item, fingerprint in list_result_fingerprints(store, fact.stage):
            digest.update(f"{item} {fingerprint}\n".encode())
    return digest.hexdigest()[:16] if checked else ""


def _find_repeats(store: Store, options: CheckConfig) -> dict[str, tuple[str, float]]:
    """Each passage that repeats an earlier one, by id, with that one and the likeness."""
    passages, signatures = [], []
    for passage, signature in list_signatures(store):
        passages.append(passage)
        signatures.append(signature)
    pairs = find_duplicates(stack(signatures), options.near_duplicate)
    return {passages[row]: (passages[first], likeness) for row, first, likeness in pairs}


def _asked_facts(options: CheckConfig) -> dict[Plugin, Fact]:
    """The plugins' facts that a rule asks about."""
    names = sorted(asked_facts(options).keys() - FACTS.keys())
    plugins = [get_plugin("facts", name) for name in names]
    return {plugin: plugin.load() for plugin in plugins}


def _plugin_facts(store: Store, options: CheckConfig) -> dict[str, dict[str, float | None]]:
    """By passage, what the plugins' facts are that a rule asks about."""
    facts: dict[str, dict[str, float | None]] = {}
    for plugin, fact in _asked_facts(options).items():
        for passage, values in list_fact_values(store, fact.stage):
            facts.setdefault(passage, {})[plugin.name] = measure(plugin, fact, passage, values)
    return facts


def _facts(
    passage: str,
    measured: dict[str, Any],
    repeats: dict[str, tuple[str, float]],
    extras: Mapping[str, float | None],
) -> Facts:
    first, likeness = repeats.get(passage, ("", 0.0))
    return Facts(passage, {**measured, "similarity": likeness, **extras}, first)
