"""The plan: which rows go into which split, settled before anything is written.

Everything that can forbid a publication is asked here: licences that can't be mixed, splits that leak,
nothing left to publish. What remains is a list of rows per split and a fingerprint of all they say, so
that a killed run finds its own half-done work again and nobody else's.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aramega.config import PublishConfig
from aramega.publish.configurations import CONFIGURATIONS, Configuration
from aramega.publish.leaks import Leak, Said, find_leaks, group_by_kind
from aramega.publish.licences import check_licences
from aramega.publish.splits import SPLITS, Assignment, Book, Shares, assign
from aramega.publish.stretch import Inventories
from aramega.publish.survey import Kept, Survey, members
from aramega.records import AramegaError

Row = dict[str, Any]

LAYOUT = 2
"""Raised when the same rows would make other files: what was staged by an older version is not taken over."""

RESERVED = "kept for test and validation until a person has reviewed them"
HELD_BACK = "would tie two splits together"
LEAKED = "said in another split already"


@dataclass(frozen=True)
class Plan:
    found: Survey
    options: PublishConfig
    inventories: Inventories
    rows: Mapping[str, Sequence[Kept]]
    """By split: the passages that are published."""
    raw: Mapping[str, Sequence[Kept]]
    """By split: the passages that `raw` tells of, published or not."""
    assignment: Assignment
    licence: str
    funnel: Mapping[str, int]
    """What became of every passage: why so many were left out; published ones under the empty name."""
    notes: tuple[str, ...]
    """What a curator should know, a line each. They may name recordings, so they are never published."""
    fingerprint: str

    def configurations(self) -> list[Configuration]:
        """Those that were asked for and have any row."""
        asked = (one for name, one in CONFIGURATIONS.items() if name in self.options.configurations)
        return [one for one in asked if any(self.count(one, split) for split in SPLITS)]

    def count(self, configuration: Configuration, split: str) -> int:
        """How many rows a configuration has in a split."""
        if configuration.name == "asr":
            return sum(one.segments for one in self.rows[split])
        return len(self.of(configuration, split))

    def of(self, configuration: Configuration, split: str) -> list[Kept]:
        """The passages that have rows in a configuration."""
        if configuration.name == "raw":
            return list(self.raw[split])
        if configuration.name == "asr":
            return [one for one in self.rows[split] if one.segments]
        found = [one for one in self.rows[split] if one.summarized]
        return [one for one in found if getattr(one, configuration.label) >= 0] if configuration.label else found


def make_plan(
    found: Survey, options: PublishConfig, inventories: Inventories, book: Book | None, format: str = "parquet"
) -> Plan:
    """Settle the splits, and raise for whatever forbids to publish this set."""
    shares = Shares(options.validation_share, options.test_share)
    assignment = assign(members(found, inventories), book, shares, gone=found.withdrawn)
    funnel = Counter(found.funnel)
    raw: dict[str, list[Kept]] = {split: [] for split in SPLITS}
    rows: dict[str, list[Kept]] = {split: [] for split in SPLITS}
    for one in found.kept:
        split = assignment.split_of.get(one.recording)
        if split is None:
            funnel[HELD_BACK] += not one.left_out
            continue
        raw[split].append(one)
        if one.left_out:
            continue
        if split != "train" and options.test_verified_only and not one.verified:
            funnel[RESERVED] += 1
            continue
        rows[split].append(one)
    leaks = list(find_leaks(_said(rows, found), options.near_duplicate))
    if leaks:
        rows = _without_leaks(rows, leaks, options)
        funnel[LEAKED] += len(leaks)
    funnel[""] = sum(map(len, rows.values()))
    if not funnel[""]:
        raise AramegaError(f"nothing to publish: {_told(funnel) or 'the workspace has no drafted passages yet'}.")
    unsummarized = sum(not one.summarized for split in SPLITS for one in rows[split])
    licence = check_licences(found.licences, options.licence)
    notes = tuple(_notes(found, assignment, funnel, rows, unsummarized))
    plan = Plan(found, options, inventories, rows, raw, assignment, licence, funnel, notes, "")
    return Plan(found, options, inventories, rows, raw, assignment, licence, funnel, notes, _fingerprint(plan, format))


def _said(rows: Mapping[str, Sequence[Kept]], found: Survey) -> Iterator[Said]:
    for split, kept in rows.items():
        for one in kept:
            about = found.recordings[one.recording].metadata
            yield Said(one.id, split, one.recording, about.speaker, about.programme, one.signature)


def _without_leaks(
    rows: Mapping[str, Sequence[Kept]], leaks: Sequence[Leak], options: PublishConfig
) -> dict[str, list[Kept]]:
    if options.leaks == "fail":
        kinds = group_by_kind(leaks)
        counted = ", ".join(f"{len(found)} by {kind}" for kind, found in kinds.items())
        raise AramegaError(
            f"the splits leak ({counted}): {leaks[0]}. --leaks drop leaves the less precious row of each pair out; "
            "or correct the manifest if two names are one."
        )
    dropped = {leak.leaked for leak in leaks}
    return {split: [one for one in kept if one.id not in dropped] for split, kept in rows.items()}


def _notes(
    found: Survey,
    assignment: Assignment,
    funnel: Mapping[str, int],
    rows: Mapping[str, Sequence[Kept]],
    unsummarized: int,
) -> Iterator[str]:
    if funnel.get(RESERVED):
        yield (
            f"{funnel[RESERVED]} passages are {RESERVED}: `aramega review` brings them in; "
            "--no-test-verified-only takes them unreviewed."
        )
    if not rows["test"]:
        yield "there is no test split yet: " + (
            "no reviewed passage belongs to it." if funnel.get(RESERVED) else "too few recordings to spare one."
        )
    if assignment.held_back:
        names = [found.recordings[number].name for number in sorted(assignment.held_back)]
        between = " and ".join(next(iter(assignment.held_back.values())))
        yield (
            f"{len(names)} recordings are held back, for their speaker and their programme are in different splits "
            f"({between}): {', '.join(names[:3])}{', …' if len(names) > 3 else ''}. Correct the manifest if that is "
            "wrong; published rows never move."
        )
    if found.unresolved:
        yield (
            f"{found.unresolved} passages have reviews that came after they were resolved, or were never resolved: "
            "`aramega review resolve` brings them in."
        )
    if unsummarized:
        yield f"{unsummarized} passages have no summary: they are in asr only, and in raw."
    if found.silent_transcripts:
        yield (
            f"{found.silent_transcripts} passages have a transcript that was not laid onto their segments: "
            "they have no rows in asr."
        )
    if found.withdrawn_not_met:
        nobody = found.withdrawn_not_met
        yield f"{len(nobody)} withdrawn names are no recording's here: {', '.join(nobody[:3])}. Is one misspelt?"
    if "unknown" in found.licences:
        yield f"{len(found.licences['unknown'])} recordings have no licence in the manifest: the card says unknown."


def _told(funnel: Mapping[str, int]) -> str:
    counted = Counter({reason: times for reason, times in funnel.items() if reason and times})
    return "; ".join(f"{times} {reason}" for reason, times in counted.most_common())


def _fingerprint(plan: Plan, format: str) -> str:
    """Of every row in its place, and of whatever else decides the bytes of a shard."""
    digest = hashlib.sha256()
    asked = (LAYOUT, format, plan.options.configurations, plan.options.shard_mb, plan.options.row_group_mb)
    digest.update(json.dumps([*asked, {k: list(v) for k, v in plan.inventories.items()}]).encode())
    for name, splits in (("rows", plan.rows), ("raw", plan.raw)):
        for split in SPLITS:
            digest.update(f"\n{name} {split}\n".encode())
            for one in splits[split]:
                digest.update(f"{one.id} {one.content}\n".encode())
    return digest.hexdigest()[:16]


def rows_of(configuration: str, line: Row) -> list[Row]:
    """The rows of a configuration in one line of the spool."""
    if configuration == "raw":
        return [line["raw"]]
    if configuration == "asr":
        return [dict(row) for row in line["segments"]]
    return [line["passage"]]
