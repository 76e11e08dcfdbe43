"""Failures: groups them by reason, and finds recordings that gave no passage.

A thousand files may fail for one reason, each with its own numbers in the message; what a curator needs
is the reason, how many, and some names to look at. Only the names shown are kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from aramega.config import Config
from aramega.display import amount, count, share
from aramega.records import Failure
from aramega.store import Mark, Store
from aramega.store.sources import source_paths
from aramega.store.summaries import EmptyRecording, count_empty_recordings, failures_under, list_empty_recordings

SHOWN_PER_REASON = 20
SHOWN_WITHOUT_PASSAGES = 100


@dataclass(frozen=True)
class Reason:
    """One way to fail, how often it happened, and the first items it happened to."""

    stage: str
    error: str
    """The first item's message; the others differ in numbers and names at most."""
    count: int
    examples: tuple[Failure, ...]


@dataclass(frozen=True)
class WithoutPassages:
    """A recording that was heard to its end and gave no passage."""

    recording: str
    name: str
    seconds: float
    why: str


def group_failures(store: Store, marks: Iterable[Mark]) -> tuple[Reason, ...]:
    """What failed under the current configuration, stage by stage, the most frequent reason first."""
    reasons: list[Reason] = []
    for mark in marks:
        groups = gather(failures_under(store, mark))
        reasons += sorted(groups, key=lambda r: (-r.count, r.error))
    return tuple(_name_items(store, reason) for reason in reasons)


def gather(failures: Iterable[Failure]) -> list[Reason]:
    """One reason per kind of message, in the order they first came."""
    groups: dict[str, Reason] = {}
    for failure in failures:
        key = kind_of(failure)
        group = groups.get(key) or Reason(failure.stage, failure.error, 0, ())
        examples = group.examples if len(group.examples) == SHOWN_PER_REASON else (*group.examples, failure)
        groups[key] = replace(group, count=group.count + 1, examples=examples)
    return list(groups.values())


def kind_of(failure: Failure) -> str:
    """The message without what is particular to its item: its path, its name, any number."""
    text = failure.error.replace(failure.item, "…")
    name = failure.item.rsplit("/", 1)[-1]
    return re.sub(r"\d+(?:[.,]\d+)*", "0", text.replace(name, "…") if name else text)


def _name_items(store: Store, reason: Reason) -> Reason:
    """Recordings under their names: an id says nothing to a person."""
    named = []
    for failure in reason.examples:
        paths = source_paths(store, failure.item)
        named.append(replace(failure, item=paths[0]) if paths else failure)
    return replace(reason, examples=tuple(named))


def find_without_passages(store: Store, config: Config, mark: Mark) -> tuple[int, tuple[WithoutPassages, ...]]:
    """How many recordings gave no passage, and the first of them, longest first, with the reason."""
    minimum = config.passages.min_seconds
    empty = [
        WithoutPassages(r.recording, r.name, r.seconds, why_without_passages(r, minimum))
        for r in list_empty_recordings(store, mark, SHOWN_WITHOUT_PASSAGES)
    ]
    return count_empty_recordings(store, mark), tuple(empty)


def why_without_passages(recording: EmptyRecording, minimum: float) -> str:
    """What was heard instead of a passage of at least `minimum` seconds."""
    if recording.segments:
        return (
            f"{amount(recording.speech_seconds)} of speech in {count(recording.segments, 'segment')}, but no run of it "
            f"reaches {minimum:g} s (passages.min_seconds), and none can be joined to another (passages.join_within)."
        )
    if recording.seconds < 1:
        return "no speech: shorter than a second."
    if recording.music_seconds:
        return f"no speech: {share(recording.music_seconds, recording.seconds)} is music, the rest silence or noise."
    return "no speech: all of it is silence or noise."
