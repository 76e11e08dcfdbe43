"""Facts: reads everything the report says from the store, in one transaction.

Sums are made by SQLite and in fixed-size batches, so that a million segments are never in memory at
once; what is listed by name (timelines, rows, failures) is limited, and the report says by how much.
One read transaction covers it all, so a build that goes on meanwhile does not make it contradict itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aramega.config import Config, PassagesConfig
from aramega.monitor.status import Status, status
from aramega.pipeline import Pipeline
from aramega.records import DraftedPassage, Passage, Recording, Segment, Span
from aramega.report.drafts import DraftFacts, ShownLine, gather_drafts, shown_lines
from aramega.report.histograms import FineCounts, Histogram, Measure, count_rows, draw_bars
from aramega.report.left_out import Why, sum_left_out
from aramega.report.sample import choose_sample
from aramega.stages.names import INGEST, PASSAGES, SEGMENT
from aramega.store import Store
from aramega.store.coverage import (
    WholeSums,
    least_used_recordings,
    load_spans,
    measured_drafts,
    measured_segments,
    passage_lengths,
    sum_failed,
    sum_whole,
    summing_recordings,
)
from aramega.store.passages import load_drafted
from aramega.store.recordings import list_passages, load_recording
from aramega.store.summaries import newest_result


@dataclass(frozen=True)
class Extent:
    """How much is shown of what may be endless, so that the page can always be mailed."""

    passages: int = 12
    timelines: int = 40
    rows: int = 200


WHOLE_PAGE = Extent()


@dataclass(frozen=True)
class Slice:
    """A part of the sound that goes no further, and why."""

    why: str
    kind: str
    """Its colour: music, silence, short, failed or waiting."""
    seconds: float


@dataclass(frozen=True)
class FunnelStep:
    """What one stage was given, what it kept, and what it left out."""

    stage: str
    question: str
    kept_as: str
    """What its caption calls that which goes on."""
    given: float
    seconds: float
    slices: tuple[Slice, ...]
    note: str = ""


@dataclass(frozen=True)
class RecordingFacts:
    """One recording's books, and what it is made of where a timeline is drawn."""

    recording: Recording
    segments: int
    speech: float
    music: float
    passages: int
    passage_seconds: float
    spans: tuple[Span, ...] = ()
    marked: tuple[Passage, ...] = ()

    @property
    def silence(self) -> float:
        return max(0.0, self.recording.seconds - self.speech - self.music)


@dataclass(frozen=True)
class SampledPassage:
    """A passage to listen to, with where it comes from and how it was cut."""

    drafted: DraftedPassage
    lines: tuple[ShownLine, ...]

    @property
    def passage(self) -> Passage:
        return self.drafted.passage

    @property
    def recording(self) -> Recording:
        return self.drafted.recording

    @property
    def segments(self) -> tuple[Segment, ...]:
        return self.drafted.segments


@dataclass(frozen=True)
class Facts:
    status: Status
    seconds: float
    speech: float
    kept_speech: float
    passage_seconds: float
    passages: int
    funnel: tuple[FunnelStep, ...]
    histograms: tuple[Histogram, ...]
    recordings: tuple[RecordingFacts, ...]
    """Those of which most was left out come first; spans for as many as have a timeline drawn."""
    sample: tuple[SampledPassage, ...]
    drafts: DraftFacts | None
    finished_at: str


def gather_facts(store: Store, pipeline: Pipeline, extent: Extent) -> Facts:
    """Read the whole workspace, once."""
    with summing_recordings(store):
        now = status(store, pipeline)
        sums = sum_whole(store)
        return Facts(
            status=now,
            seconds=sums.seconds,
            speech=sums.speech,
            kept_speech=sums.kept_speech,
            passage_seconds=sums.passage_seconds,
            passages=sums.passages,
            funnel=_funnel(store, now, sums, pipeline.config.passages),
            histograms=tuple(_histograms(store, pipeline.config)),
            recordings=tuple(_recordings(store, extent)),
            sample=tuple(_sampled(store, p) for p in choose_sample(store, extent.passages)),
            drafts=gather_drafts(store),
            finished_at=newest_result(store),
        )


def _funnel(store: Store, now: Status, sums: WholeSums, options: PassagesConfig) -> tuple[FunnelStep, ...]:
    return (
        FunnelStep(INGEST, "What could be read?", "recorded", sums.seconds, sums.seconds, (), _ingest_note(now)),
        _segment_step(store, sums),
        _passages_step(store, sums, options),
    )


def _segment_step(store: Store, sums: WholeSums) -> FunnelStep:
    unheard = sums.seconds - sums.speech - sums.music - sums.silence
    failed, _ = sum_failed(store, SEGMENT)
    slices = _slices(
        ("silence, pauses and noise", "silence", sums.silence),
        ("music", "music", sums.music),
        ("failed", "failed", min(unheard, failed)),
        ("not heard yet", "waiting", unheard - failed),
    )
    return FunnelStep(SEGMENT, "Where does somebody speak?", "speech", sums.seconds, sums.speech, slices)


def _passages_step(store: Store, sums: WholeSums, options: PassagesConfig) -> FunnelStep:
    ungrouped = sums.speech - sums.grouped_speech
    left_out = sum_left_out(store, options)
    _, failed = sum_failed(store, PASSAGES)
    slices = _slices(
        *[(_in_words(why), "short", s) for why, s in left_out.items()],
        ("failed", "failed", min(ungrouped, failed)),
        ("not grouped yet", "waiting", ungrouped - failed),
    )
    note = _passages_note(options, sum(left_out.values()))
    return FunnelStep(
        PASSAGES, "What makes a passage?", "speech in passages", sums.speech, sums.kept_speech, slices, note
    )


def _passages_note(options: PassagesConfig, left_out: float) -> str:
    """What decides how much is left out."""
    return (
        f"a passage lasts {options.min_seconds:g} to {options.max_seconds:g} s (passages.min_seconds, max_seconds), and "
        f"shorter speech is joined across {options.join_within:g} s of pause or music at most (passages.join_within)"
        if left_out >= 0.5
        else ""
    )


def _slices(*parts: tuple[str, str, float]) -> tuple[Slice, ...]:
    return tuple(Slice(why, kind, seconds) for why, kind, seconds in parts if seconds >= 0.5)


def _ingest_note(now: Status) -> str:
    """What became of the files that are no recording; their length is not known."""
    ingest = now.stages[0]
    parts = [f"{now.files:,} files gave {now.recordings:,} recordings" if now.files > 1 else ""]
    twins = ingest.done - ingest.made_count
    parts.append(f"{twins:,} held the same bytes as another" if twins > 0 else "")
    parts.append(f"{ingest.failed:,} could not be read, so their length is unknown" if ingest.failed else "")
    parts.append(f"{ingest.pending:,} wait to be read" if ingest.pending else "")
    return "; ".join(p for p in parts if p)


def _histograms(store: Store, config: Config) -> Iterator[Histogram]:
    longest_segment, longest_passage = config.segment.max_seconds, config.passages.max_seconds
    of_segments = (
        Measure("Segment length", "s", "segments", 0, 600, 0.1, 1, axis=(0, longest_segment)),
        Measure("Signal-to-noise ratio", "dB", "hours of speech", -40, 120, 0.1),
        Measure("Loudness", "LUFS", "hours of speech", -100, 20, 0.1),
        Measure("Bandwidth", "kHz", "hours of speech", 0, 8.001, 0.01, 1, axis=(0, 8)),
    )
    of_passages = Measure("Passage length", "s", "passages", 0, 1200, 0.1, axis=(0, longest_passage))
    segments = [FineCounts(m.low, m.high, m.fine) for m in of_segments]
    count_rows(measured_segments(store), segments, (None, 4, 4, 4))
    passages = FineCounts(of_passages.low, of_passages.high, of_passages.fine)
    count_rows(passage_lengths(store), [passages], (None,))
    drawn = [draw_bars(m, c) for m, c in zip(of_segments, segments, strict=True)]
    drawn.insert(1, draw_bars(of_passages, passages))
    of_drafts = (
        Measure("How sure the transcript is", "", "drafts", 0, 1.0001, 0.01, 2, axis=(0, 1)),
        Measure("Characters a second", "", "drafts", 0, 60, 0.1, 1),
        Measure("Words said for each of the summary", "", "drafts", 0, 100, 0.1, 1),
    )
    drafts = [FineCounts(m.low, m.high, m.fine) for m in of_drafts]
    count_rows(measured_drafts(store), drafts, (None, None, None))
    drawn += [draw_bars(m, c) for m, c in zip(of_drafts, drafts, strict=True)]
    yield from (h for h in drawn if h)


def _recordings(store: Store, extent: Extent) -> Iterator[RecordingFacts]:
    for place, sums in enumerate(least_used_recordings(store, max(extent.rows, extent.timelines))):
        drawn = place < extent.timelines
        yield RecordingFacts(
            recording=load_recording(store, sums.recording),
            segments=sums.segments,
            speech=sums.speech_seconds,
            music=sums.music_seconds,
            passages=sums.passages,
            passage_seconds=sums.passage_seconds,
            spans=load_spans(store, sums.recording) if drawn else (),
            marked=tuple(list_passages(store, sums.recording)) if drawn else (),
        )


def _sampled(store: Store, passage: str) -> SampledPassage:
    drafted = load_drafted(store, passage)
    return SampledPassage(drafted, tuple(shown_lines(drafted)))


def _in_words(why: Why) -> str:
    return why.value if why is Why.REPEATED else f"too short, and {why.value}"
