"""Statistics: what a published set is made of, counted over the very rows that are published.

One walk over the spool; per split a few counters, whatever the size of the set. What can't be counted for
want of data (no reviews, no second annotator) is None, and the card says unknown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from aramega.publish.plan import Plan
from aramega.publish.rows import Row
from aramega.publish.splits import SPLITS
from aramega.text import edit_counts, normalize

UNKNOWN = "unknown"
BIN = 15
"""Seconds in a bar of the histogram of lengths."""


@dataclass
class Statistics:
    """Of one split."""

    passages: int = 0
    seconds: float = 0.0
    segments: int = 0
    words: int = 0
    summary_words: int = 0
    recordings: set[str] = field(default_factory=set)
    speakers: set[str] = field(default_factory=set)
    programmes: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    years: Counter[str] = field(default_factory=Counter)
    dialects: Counter[str] = field(default_factory=Counter)
    emotions: Counter[str] = field(default_factory=Counter)
    """In seconds, as dialects are."""
    lengths: Counter[int] = field(default_factory=Counter)
    """Passages by the bar they fall in."""
    verified: Counter[str] = field(default_factory=Counter)
    """Passages by what a person stands behind: transcription, summary, title, dialect, emotion."""
    word_errors: int = 0
    compared_words: int = 0
    """Of drafts against what people made of them."""
    models: Counter[str] = field(default_factory=Counter)
    prompts: Counter[str] = field(default_factory=Counter)
    summarizers: Counter[str] = field(default_factory=Counter)

    @property
    def hours(self) -> float:
        return self.seconds / 3600

    @property
    def wer(self) -> float | None:
        return self.word_errors / self.compared_words if self.compared_words else None


@dataclass
class Agreement:
    """Between annotators who reviewed the same passage, pair by pair; unresolved by anybody's rule."""

    annotators: set[str] = field(default_factory=set)
    reviews: int = 0
    doubly: int = 0
    """Passages with two annotators or more."""
    same: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    character_errors: int = 0
    characters: int = 0

    def share(self, what: str) -> float | None:
        return self.same[what] / self.asked[what] if self.asked[what] else None

    @property
    def cer(self) -> float | None:
        return self.character_errors / self.characters if self.characters else None


def count(plan: Plan) -> tuple[dict[str, Statistics], Agreement]:
    """Statistics by split, and the agreement over all reviews."""
    agreement = Agreement()
    splits = {}
    for split in SPLITS:
        splits[split] = statistics = Statistics()
        for _, line in plan.found.read(plan.rows[split]):
            _add(statistics, line, plan)
            _compare(agreement, json.loads(line["raw"]["reviews"]))
    return splits, agreement


def _add(statistics: Statistics, line: Row, plan: Plan) -> None:
    row = line["passage"]
    s = statistics
    s.passages += 1
    s.seconds += row["seconds"]
    s.segments += len(line["segments"])
    s.words += len((row["transcription"] or "").split())
    s.summary_words += len((row["summary"] or "").split())
    s.recordings.add(row["recording"])
    for names, column in ((s.speakers, "speaker"), (s.programmes, "programme"), (s.channels, "channel")):
        if row[column]:
            names.add(row[column])
    s.years[(row["date"] or UNKNOWN)[:4] if row["date"] else UNKNOWN] += 1
    for counter, column in ((s.dialects, "dialect"), (s.emotions, "emotion")):
        label = UNKNOWN if row[column] is None else plan.inventories[column][row[column]]
        counter[label] += row["seconds"]
    s.lengths[int(row["seconds"] // BIN)] += 1
    for what in ("transcription", "summary", "title", "dialect", "emotion"):
        s.verified[what] += row[f"verified_{what}"]
    s.models[row["asr_model"] or UNKNOWN] += 1
    if row["summary"]:
        s.summarizers[row["summary_model"] or UNKNOWN] += 1
        s.prompts[row["summary_prompt"] or "none"] += 1
    draft = line["raw"]["draft_transcription"]
    if row["verified_transcription"] and draft:
        errors, words = edit_counts(_words(row["transcription"]), _words(draft))
        s.word_errors += errors
        s.compared_words += words


def _compare(agreement: Agreement, reviews: Iterable[Mapping[str, Any]]) -> None:
    """Each annotator's last submitted word on a passage against each other's."""
    last = {review["annotator"]: review for review in reviews if review["state"] == "submitted"}
    agreement.annotators |= last.keys()
    agreement.reviews += len(last)
    agreement.doubly += len(last) > 1
    for first, second in combinations(last.values(), 2):
        for what in ("verdict", "dialect", "emotion"):
            if first[what] and second[what]:
                agreement.asked[what] += 1
                agreement.same[what] += first[what] == second[what]
        if first["transcript"] and second["transcript"]:
            errors, characters = edit_counts(
                normalize(first["transcript"], "asr"), normalize(second["transcript"], "asr")
            )
            agreement.character_errors += errors
            agreement.characters += characters


def _words(text: str) -> list[str]:
    return normalize(text, "asr").split()


def used(splits: Mapping[str, Statistics], what: str) -> Iterator[tuple[str, int]]:
    """Models or prompts over all splits, the most used first."""
    counted: Counter[str] = Counter()
    for one in splits.values():
        counted.update(getattr(one, what))
    yield from counted.most_common()
