"""Statistics: what a published set is made of, counted over the very rows that are published.

One walk over the spool; per split a few counters, whatever the size of the set. What can't be counted for
want of data (no speech, no reviewed transcript) is None, and the card says unknown. How far annotators agree is not
counted here: `settle/agreement.py` does, for the card as for `aramega review agreement`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aramega.publish.plan import Plan, Row
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


def count(plan: Plan) -> dict[str, Statistics]:
    """Statistics by split."""
    splits = {}
    for split in SPLITS:
        splits[split] = statistics = Statistics()
        for _, line in plan.found.read(plan.rows[split]):
            _add(statistics, line, plan)
    return splits


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


def _words(text: str) -> list[str]:
    return normalize(text, "asr").split()


def used(splits: Mapping[str, Statistics], what: str) -> Iterator[tuple[str, int]]:
    """Models or prompts over all splits, the most used first."""
    counted: Counter[str] = Counter()
    for one in splits.values():
        counted.update(getattr(one, what))
    yield from counted.most_common()
