"""The plan: which rows go into which split, settled before anything is written.

Everything that can forbid a publication is asked here: licences that can't be mixed, splits that leak,
nothing left to publish. What remains is a list of rows per split and a fingerprint of all they say, so
that a killed run finds its own half-done work again and nobody else's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from aramega.config import PublishConfig
from aramega.publish.configurations import CONFIGURATIONS, Configuration
from aramega.publish.fingerprints import fingerprint_of
from aramega.publish.leaks import Leak, SplitRow, find_leaks, group_by_kind
from aramega.publish.licences import check_licences
from aramega.publish.notes import HELD_BACK, LEAKED, RESERVED, notes_for
from aramega.publish.selection import SelectedPassage, Selection, members
from aramega.publish.splits import SPLITS, Assignment, Shares, SplitAssignments, assign
from aramega.publish.stretch import Inventories
from aramega.records import AramegaError

LAYOUT = 2
"""Raised when the same rows would make other files: what was staged by an older version is not taken over."""

BySplit = Mapping[str, Sequence[SelectedPassage]]


@dataclass(frozen=True)
class Plan:
    selection: Selection
    options: PublishConfig
    inventories: Inventories
    rows: BySplit
    """The passages that are published."""
    raw: BySplit
    """The passages that `raw` tells of, published or not."""
    assignment: Assignment
    licence: str
    funnel: Mapping[str, int]
    """What became of every passage: why so many were left out; published ones under the empty name."""
    notes: tuple[str, ...]
    """What a curator should know, a line each. They may name recordings, so they are never published."""
    fingerprint: str

    def configurations(self) -> list[Configuration]:
        """Those that were asked for and have any row."""
        asked = (CONFIGURATIONS[name] for name in CONFIGURATIONS if name in self.options.configurations)
        return [configuration for configuration in asked if any(self.count(configuration, s) for s in SPLITS)]

    def count(self, configuration: Configuration, split: str) -> int:
        """How many rows a configuration has in a split."""
        passages = self.passages(configuration, split)
        return sum(p.segments for p in passages) if configuration.of == "segment" else len(passages)

    def passages(self, configuration: Configuration, split: str) -> list[SelectedPassage]:
        """The passages that have rows in a configuration."""
        if configuration.of == "raw":
            return list(self.raw[split])
        if configuration.of == "segment":
            return [passage for passage in self.rows[split] if passage.segments]
        summarized = [passage for passage in self.rows[split] if passage.summarized]
        if not configuration.label:
            return summarized
        return [passage for passage in summarized if getattr(passage, configuration.label) >= 0]


def row_numbers(configuration: Configuration, passages: Iterable[SelectedPassage]) -> Iterator[int]:
    """The numbers, in the row cache, of the rows that a configuration has of these passages."""
    if configuration.of == "segment":
        return chain.from_iterable(segment_numbers(passage) for passage in passages)
    return (passage.number for passage in passages)


def segment_numbers(passage: SelectedPassage) -> range:
    return range(passage.first_segment, passage.first_segment + passage.segments)


def make_plan(
    selection: Selection,
    options: PublishConfig,
    inventories: Inventories,
    assignments: SplitAssignments | None,
    format: str = "parquet",
) -> Plan:
    """Settle the splits, and raise for whatever forbids to publish this set."""
    shares = Shares(options.validation_share, options.test_share)
    assignment = assign(members(selection, inventories), assignments, shares, withdrawn=selection.withdrawn)
    funnel = Counter(selection.funnel)
    raw = _by_split(selection.passages, assignment, funnel)
    rows = {split: _publishable(raw[split], split, options, funnel) for split in SPLITS}
    leaks = list(find_leaks(_split_rows(rows, selection), options.near_duplicate))
    if leaks:
        rows = _without_leaks(rows, leaks, options)
        funnel[LEAKED] += len(leaks)
    funnel[""] = sum(map(len, rows.values()))
    if not funnel[""]:
        raise AramegaError(f"nothing to publish: {_reasons(funnel) or 'the workspace has no drafted passages yet'}.")
    return Plan(
        selection,
        options,
        inventories,
        rows,
        raw,
        assignment,
        check_licences(selection.licences, options.licence),
        funnel,
        tuple(notes_for(selection, assignment, funnel, rows)),
        _fingerprint(options, inventories, format, rows, raw),
    )


def _by_split(
    passages: Iterable[SelectedPassage], assignment: Assignment, funnel: Counter[str]
) -> dict[str, list[SelectedPassage]]:
    """The passages of each split; those of recordings that are held back are in none."""
    by_split: dict[str, list[SelectedPassage]] = {split: [] for split in SPLITS}
    for passage in passages:
        split = assignment.split_of.get(passage.recording)
        if split is None:
            funnel[HELD_BACK] += not passage.left_out
        else:
            by_split[split].append(passage)
    return by_split


def _publishable(
    passages: Iterable[SelectedPassage], split: str, options: PublishConfig, funnel: Counter[str]
) -> list[SelectedPassage]:
    """The passages of a split that become rows of it."""
    chosen = [passage for passage in passages if not passage.left_out]
    if split == "train" or not options.test_verified_only:
        return chosen
    verified = [passage for passage in chosen if passage.verified]
    if len(verified) < len(chosen):
        funnel[RESERVED] += len(chosen) - len(verified)
    return verified


def _split_rows(rows: BySplit, selection: Selection) -> Iterator[SplitRow]:
    for split, passages in rows.items():
        for passage in passages:
            about = selection.recordings[passage.recording].metadata
            yield SplitRow(passage.id, split, passage.recording, about.speaker, about.programme, passage.signature)


def _without_leaks(rows: BySplit, leaks: Sequence[Leak], options: PublishConfig) -> dict[str, list[SelectedPassage]]:
    if options.leaks == "fail":
        counted = ", ".join(f"{len(of_kind)} by {kind}" for kind, of_kind in group_by_kind(leaks).items())
        raise AramegaError(
            f"the splits leak ({counted}): {leaks[0]}. --leaks drop leaves the less precious row of each pair out; "
            "or correct the manifest if two names are one."
        )
    dropped = {leak.leaked for leak in leaks}
    return {split: [passage for passage in passages if passage.id not in dropped] for split, passages in rows.items()}


def _reasons(funnel: Mapping[str, int]) -> str:
    counted = Counter({reason: times for reason, times in funnel.items() if reason and times})
    return "; ".join(f"{times} {reason}" for reason, times in counted.most_common())


def _fingerprint(options: PublishConfig, inventories: Inventories, format: str, rows: BySplit, raw: BySplit) -> str:
    decisions = (LAYOUT, format, options.configurations, options.shard_mb, options.row_group_mb)
    return fingerprint_of(
        [*decisions, {kind: list(labels) for kind, labels in inventories.items()}],
        {
            f"{name} {split}": ((passage.id, passage.content) for passage in passages[split])
            for name, passages in (("rows", rows), ("raw", raw))
            for split in SPLITS
        },
    )
