"""Drafts: counts the drafts by decision and reason, and says how sure each line of a transcript is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from aramega.records import DraftedPassage, Line, Overview, Recording, Summary, Transcript
from aramega.settle.calibration import Calibration
from aramega.settle.reviewed_drafts import find_calibration
from aramega.store import Store
from aramega.store.draft_counts import DraftCounts, count_drafts, count_reasons, list_models, longest_overviews
from aramega.store.recordings import load_recording

SHADES = 5
"""Steps of the colour that shows how sure a line is."""
SHOWN_MODELS = 9
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

    counts: DraftCounts
    decided: tuple[Decided, ...]
    asr_models: tuple[str, ...]
    summary_models: tuple[str, ...]
    whole: tuple[WholeRecording, ...]
    """The longest of the recordings that have one."""
    calibration: Calibration | None


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
    counts = count_drafts(store)
    if not counts.drafted:
        return None
    return DraftFacts(
        counts=counts,
        decided=_decided(store),
        asr_models=list_models(store, Transcript, SHOWN_MODELS),
        summary_models=list_models(store, Summary, SHOWN_MODELS),
        whole=_whole_recordings(store),
        calibration=find_calibration(store),
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
    overviews = longest_overviews(store, SHOWN_RECORDINGS)
    return tuple(WholeRecording(load_recording(store, o.recording), o) for o in overviews)


def _decided(store: Store) -> tuple[Decided, ...]:
    counts: dict[str, int] = Counter()
    hours: dict[str, float] = Counter()  # type: ignore[assignment]  # a Counter adds floats as well
    reasons: dict[str, Counter[str]] = {}
    for decision, why, count, length in count_reasons(store):
        counts[decision] += count
        hours[decision] += length
        for reason in why:
            reasons.setdefault(decision, Counter())[reason] += count
    return tuple(
        Decided(decision, counts[decision], hours[decision], tuple(reasons.get(decision, Counter()).most_common(12)))
        for decision in ("keep", "review first", "reject")
        if decision in counts
    )
