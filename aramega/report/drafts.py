"""Drafts: counts the drafts by decision and reason, and says how sure each line of a transcript is."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass

from aramega.records import DraftedPassage, Line, Overview, Recording
from aramega.store import Store
from aramega.store.recordings import load_recording
from aramega.store.rows import revive

SHADES = 5
"""Steps of the colour that shows how sure a line is."""
SHOWN_RECORDINGS = 6


@dataclass(frozen=True)
class Decided:
    """The drafts of one decision, and the reasons among them, the most frequent first."""

    decision: str
    count: int
    hours: float
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class WholeRecording:
    """A recording in short."""

    recording: Recording
    overview: Overview


@dataclass(frozen=True)
class DraftFacts:
    """All drafts in numbers, and some recordings in short."""

    drafted: int
    decided: tuple[Decided, ...]
    repeated: int
    abstractive: int
    tokens: int
    """What language models read and wrote for the summaries."""
    asr_models: tuple[str, ...]
    summary_models: tuple[str, ...]
    subtitled: int
    """Passages whose recording has subtitles to compare with."""
    subtitles_cer: float | None
    overviews: int
    whole: tuple[WholeRecording, ...]
    """The longest of the recordings that have one."""


@dataclass(frozen=True)
class ShownLine:
    """A line of a transcript as the page shows it."""

    text: str
    start: float
    """In seconds of the clip, for the player."""
    shade: int
    """0 for the least sure, SHADES - 1 for the surest; -1 where nobody knows."""
    title: str


def gather_drafts(store: Store) -> DraftFacts | None:
    """None where nothing has been drafted yet."""
    ask = store.connection.execute
    drafted = ask("SELECT count(*) FROM transcripts t JOIN passages p ON p.id = t.passage").fetchone()[0]
    if not drafted:
        return None
    summed = ask(
        "SELECT coalesce(sum(abstractive), 0), coalesce(sum(prompt_tokens + completion_tokens), 0) FROM summaries"
    )
    abstractive, tokens = summed.fetchone()
    subtitled, cer = ask("SELECT count(*), avg(at_hand_cer) FROM transcripts WHERE at_hand <> ''").fetchone()
    return DraftFacts(
        drafted=drafted,
        decided=_decided(store),
        repeated=ask("SELECT count(*) FROM verdicts WHERE duplicate_of <> ''").fetchone()[0],
        abstractive=abstractive,
        tokens=tokens,
        asr_models=tuple(row[0] for row in ask("SELECT DISTINCT model FROM transcripts ORDER BY model LIMIT 9")),
        summary_models=tuple(row[0] for row in ask("SELECT DISTINCT model FROM summaries ORDER BY model LIMIT 9")),
        subtitled=subtitled,
        subtitles_cer=cer,
        overviews=ask("SELECT count(*) FROM overviews").fetchone()[0],
        whole=_whole_recordings(store),
    )


def shown_lines(item: DraftedPassage) -> list[ShownLine]:
    """The transcript's lines with how sure each is, in words too, for who cannot tell the colours."""
    transcript = item.draft.transcript
    return [_shown(line, item.passage.start) for line in transcript.lines] if transcript else []


def shade_of(probability: float) -> int:
    """Which of the SHADES a token's mean probability falls on: below a third is as bad as it gets, above 0.9 is fine."""
    return min(SHADES - 1, max(0, math.floor((probability - 0.3) / 0.6 * SHADES)))


def _shown(line: Line, clip_start: float) -> ShownLine:
    notes = [f"{line.start - clip_start:.1f} s to {line.end - clip_start:.1f} s of the clip"]
    shade = -1
    if line.avg_logprob is not None:
        probability = math.exp(line.avg_logprob)
        shade = shade_of(probability)
        notes.append(f"{probability:.0%} sure of a token")
    notes += line.flags
    return ShownLine(line.text or "…", max(0.0, round(line.start - clip_start, 2)), shade, "; ".join(notes))


def _whole_recordings(store: Store) -> tuple[WholeRecording, ...]:
    query = """SELECT o.* FROM overviews o JOIN recordings r ON r.id = o.recording
               ORDER BY r.seconds DESC, r.id LIMIT ?"""
    overviews = [revive(Overview, row) for row in store.connection.execute(query, (SHOWN_RECORDINGS,))]
    return tuple(WholeRecording(load_recording(store, o.recording), o) for o in overviews)


def _decided(store: Store) -> tuple[Decided, ...]:
    decided: dict[str, Decided] = {}
    query = """SELECT v.decision, v.reasons, count(*), sum(p."end" - p.start) / 3600 FROM verdicts v
               JOIN passages p ON p.id = v.passage GROUP BY v.decision, v.reasons"""
    counts: dict[str, int] = Counter()
    hours: dict[str, float] = Counter()  # type: ignore[assignment]  # a Counter adds floats as well
    reasons: dict[str, Counter[str]] = {}
    for decision, listed_reasons, count, length in store.connection.execute(query):
        counts[decision] += count
        hours[decision] += length
        for reason in json.loads(listed_reasons):
            reasons.setdefault(decision, Counter())[reason] += count
    for decision in ("keep", "review first", "reject"):
        if decision in counts:
            most = tuple(reasons.get(decision, Counter()).most_common(12))
            decided[decision] = Decided(decision, counts[decision], hours[decision], most)
    return tuple(decided.values())
