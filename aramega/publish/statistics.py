"""Statistics: what a published set is made of, counted over the very rows that are published.

One walk over the row cache; per split a few counters, whatever the size of the set. What can't be counted for
want of data (no speech, no reviewed transcript) is None, and the card says unknown. How far annotators agree is not
counted here: `settle/agreement.py` does, for the card as for `aramega review agreement`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aramega.publish.plan import Plan
from aramega.publish.rows import PassageRow
from aramega.publish.splits import SPLITS
from aramega.publish.stretch import Inventories
from aramega.publish.tables import passage_rows, raw_rows
from aramega.text import edit_counts, normalize

UNKNOWN = "unknown"
BIN = 15
"""Seconds in a bar of the histogram of lengths."""


@dataclass
class Statistics:
    """Of one split."""

    passages: int = 0
    seconds: float = 0.0
    words: int = 0
    summary_words: int = 0
    recordings: set[str] = field(default_factory=set)
    speakers: set[str] = field(default_factory=set)
    programmes: set[str] = field(default_factory=set)
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


@dataclass(frozen=True)
class _DraftText:
    draft_transcription: str | None


def count(plan: Plan) -> dict[str, Statistics]:
    """Statistics by split."""
    cache, rows = plan.selection.cache, passage_rows()
    splits = {split: Statistics() for split in SPLITS}
    for split, statistics in splits.items():
        numbers = [passage.number for passage in plan.rows[split]]
        drafts = cache.read(raw_rows(), numbers, _DraftText)
        for row, draft in zip(cache.read(rows, numbers, rows.kind), drafts, strict=True):
            _add(statistics, row, plan.inventories)
            if row.verified_transcription and draft.draft_transcription:
                _add_errors(statistics, row.transcription or "", draft.draft_transcription)
    return splits


def _add(s: Statistics, row: PassageRow, inventories: Inventories) -> None:
    s.passages += 1
    s.seconds += row.seconds
    s.words += len((row.transcription or "").split())
    s.summary_words += len((row.summary or "").split())
    s.recordings.add(row.recording)
    for names, name in ((s.speakers, row.speaker), (s.programmes, row.programme)):
        if name:
            names.add(name)
    s.years[row.date[:4] if row.date else UNKNOWN] += 1
    for counter, kind, number in ((s.dialects, "dialect", row.dialect), (s.emotions, "emotion", row.emotion)):
        counter[UNKNOWN if number is None else inventories[kind][number]] += row.seconds  # type: ignore[assignment]
    s.lengths[int(row.seconds // BIN)] += 1
    for field_name in ("transcription", "summary", "title", "dialect", "emotion"):
        s.verified[field_name] += getattr(row, f"verified_{field_name}")
    s.models[row.asr_model or UNKNOWN] += 1
    if row.summary:
        s.summarizers[row.summary_model or UNKNOWN] += 1
        s.prompts[row.summary_prompt or "none"] += 1


def _add_errors(s: Statistics, transcript: str, draft: str) -> None:
    errors, words = edit_counts(_words(transcript), _words(draft))
    s.word_errors += errors
    s.compared_words += words


def _words(text: str) -> list[str]:
    return normalize(text, "asr").split()


def used(splits: Mapping[str, Statistics], what: str) -> Iterator[tuple[str, int]]:
    """Models or prompts over all splits, the most used first."""
    counted: Counter[str] = Counter()
    for statistics in splits.values():
        counted.update(getattr(statistics, what))
    yield from counted.most_common()
