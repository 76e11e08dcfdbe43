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
from aramega.records import Failure, Timeline, from_json
from aramega.stages.names import SEGMENT
from aramega.store import Mark, Store

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
    query = "SELECT item, error, failed_at FROM failures WHERE stage = ? AND fingerprint = ? ORDER BY item"
    for mark in marks:
        rows = store.connection.execute(query, (mark.stage, mark.fingerprint))
        groups = gather(Failure(mark.stage, row[0], row[1], row[2]) for row in rows)
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
    query = "SELECT path FROM sources WHERE recording = ? ORDER BY path LIMIT 1"
    named = []
    for failure in reason.examples:
        row = store.connection.execute(query, (failure.item,)).fetchone()
        named.append(replace(failure, item=row[0]) if row else failure)
    return replace(reason, examples=tuple(named))


def find_without_passages(store: Store, config: Config, mark: Mark) -> tuple[int, tuple[WithoutPassages, ...]]:
    """How many recordings gave no passage, and the first of them, longest first, with the reason."""
    which = "FROM results k JOIN recordings r ON r.id = k.item WHERE k.stage = ? AND k.fingerprint = ? AND k.made = 0"
    total = store.connection.execute(f"SELECT count(*) {which}", (mark.stage, mark.fingerprint)).fetchone()[0]
    rows = store.connection.execute(
        f"""SELECT r.id, r.name, r.seconds, t.spans, coalesce(s.made, 0) AS segments, coalesce(s.seconds, 0) AS speech
            FROM (SELECT r.* {which} ORDER BY r.seconds DESC, r.id LIMIT {SHOWN_WITHOUT_PASSAGES}) r
            LEFT JOIN timelines t ON t.recording = r.id
            LEFT JOIN results s ON s.stage = '{SEGMENT}' AND s.item = r.id""",  # noqa: S608
        (mark.stage, mark.fingerprint),
    ).fetchall()
    minimum = config.passages.min_seconds
    return total, tuple(
        WithoutPassages(
            r["id"],
            r["name"],
            r["seconds"],
            why_without_passages(r["segments"], r["speech"], _music(r), r["seconds"], minimum),
        )
        for r in rows
    )


def why_without_passages(segments: int, speech: float, music: float, seconds: float, minimum: float) -> str:
    """What was heard instead of a passage."""
    if segments:
        return (
            f"{amount(speech)} of speech in {count(segments, 'segment')}, but no run of it reaches "
            f"{minimum:g} s (passages.min_seconds), and none can be joined to another (passages.join_within)."
        )
    if seconds < 1:
        return "no speech: shorter than a second."
    if music:
        return f"no speech: {share(music, seconds)} is music, the rest silence or noise."
    return "no speech: all of it is silence or noise."


def _music(row: object) -> float:
    spans = row["spans"]  # type: ignore[index]
    if not spans:
        return 0.0
    timeline = from_json(Timeline, f'{{"recording":"","spans":{spans}}}')
    return sum(span.end - span.start for span in timeline.spans if span.kind == "music")
