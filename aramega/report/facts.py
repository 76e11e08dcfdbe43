"""Facts: reads everything the report says from the store, in one transaction.

Sums are made by SQLite and in fixed-size batches, so that a million segments are never in memory at
once; what is listed by name (timelines, rows, failures) is limited, and the report says by how much.
One read transaction covers it all, so a build that goes on meanwhile does not make it contradict itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aramega.config import Config
from aramega.monitor.status import Status, status
from aramega.pipeline import Pipeline
from aramega.records import DraftedPassage, Passage, Recording, Segment, Span, Timeline
from aramega.report.drafts import DraftFacts, ShownLine, gather_drafts, shown_lines
from aramega.report.histograms import FineCounts, Histogram, Measure, count_rows, draw_bars
from aramega.report.left_out import sum_left_out
from aramega.report.sample import choose_sample
from aramega.stages.names import INGEST, PASSAGES, SEGMENT
from aramega.store import Store
from aramega.store.drafts import load_drafted
from aramega.store.recordings import list_passages, load_recording
from aramega.store.rows import revive

BATCH = 50_000


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
    store.connection.execute("BEGIN")
    try:
        _sum_up_recordings(store.connection)
        return _facts(store, status(store, pipeline), pipeline.config, extent)
    finally:
        store.connection.execute("ROLLBACK")


def _facts(store: Store, now: Status, config: Config, extent: Extent) -> Facts:
    sums = store.connection.execute(
        """SELECT coalesce(sum(seconds), 0) AS seconds, coalesce(sum(speech), 0) AS speech,
           coalesce(sum(kept), 0) AS kept, coalesce(sum(passage_seconds), 0) AS passage_seconds,
           coalesce(sum(passages), 0) AS passages FROM report_recordings"""
    ).fetchone()
    return Facts(
        status=now,
        seconds=sums["seconds"],
        speech=sums["speech"],
        kept_speech=sums["kept"],
        passage_seconds=sums["passage_seconds"],
        passages=sums["passages"],
        funnel=_funnel(store, now, config),
        histograms=tuple(_histograms(store, config)),
        recordings=tuple(_recordings(store, extent)),
        sample=tuple(_sampled(store, p) for p in choose_sample(store, extent.passages)),
        drafts=gather_drafts(store),
        finished_at=store.connection.execute("SELECT coalesce(max(finished_at), '') FROM results").fetchone()[0],
    )


def _sum_up_recordings(connection: sqlite3.Connection) -> None:
    """One row a recording, in a table of our own that goes with the transaction."""
    connection.execute(
        f"""CREATE TEMP TABLE report_recordings AS
           SELECT r.id, r.seconds, s.item IS NOT NULL AS segmented, p.item IS NOT NULL AS grouped,
                  coalesce(s.made, 0) AS segments, coalesce(s.seconds, 0) AS speech, coalesce(m.music, 0) AS music,
                  coalesce(p.made, 0) AS passages, coalesce(p.seconds, 0) AS passage_seconds,
                  min(coalesce(k.kept, 0), coalesce(s.seconds, 0)) AS kept
           FROM recordings r
           LEFT JOIN results s ON s.stage = '{SEGMENT}' AND s.item = r.id
           LEFT JOIN results p ON p.stage = '{PASSAGES}' AND p.item = r.id
           LEFT JOIN (SELECT recording, sum(speech_seconds) AS kept FROM passages GROUP BY recording) k
                  ON k.recording = r.id
           LEFT JOIN (SELECT recording, sum(json_extract(value, '$.end') - json_extract(value, '$.start')) AS music
                      FROM timelines, json_each(spans) WHERE json_extract(value, '$.kind') = 'music'
                      GROUP BY recording) m ON m.recording = r.id"""  # noqa: S608
    )


def _funnel(store: Store, now: Status, config: Config) -> tuple[FunnelStep, ...]:
    row = store.connection.execute(
        """SELECT coalesce(sum(seconds), 0) AS given, coalesce(sum(speech), 0) AS speech,
           coalesce(sum(music) FILTER (WHERE segmented), 0) AS music,
           coalesce(sum(max(0, seconds - speech - music)) FILTER (WHERE segmented), 0) AS silence,
           coalesce(sum(speech) FILTER (WHERE grouped), 0) AS grouped, coalesce(sum(kept), 0) AS kept
           FROM report_recordings"""
    ).fetchone()
    failed = {s.stage: _failed_seconds(store, s.stage) for s in now.stages}
    unheard = row["given"] - row["speech"] - row["music"] - row["silence"]
    ungrouped = row["speech"] - row["grouped"]
    left_out = sum_left_out(store.connection, config.passages)
    return (
        FunnelStep(INGEST, "What could be read?", "recorded", row["given"], row["given"], (), _ingest_note(now)),
        FunnelStep(
            SEGMENT,
            "Where does somebody speak?",
            "speech",
            row["given"],
            row["speech"],
            _slices(
                ("silence, pauses and noise", "silence", row["silence"]),
                ("music", "music", row["music"]),
                ("failed", "failed", min(unheard, failed[SEGMENT]["seconds"])),
                ("not heard yet", "waiting", unheard - failed[SEGMENT]["seconds"]),
            ),
        ),
        FunnelStep(
            PASSAGES,
            "What makes a passage?",
            "speech in passages",
            row["speech"],
            row["kept"],
            _slices(
                *[(f"too short, and {why.value}", "short", s) for why, s in left_out.items()],
                ("failed", "failed", min(ungrouped, failed[PASSAGES]["speech"])),
                ("not grouped yet", "waiting", ungrouped - failed[PASSAGES]["speech"]),
            ),
            _passages_note(config, sum(left_out.values())),
        ),
    )


def _passages_note(config: Config, left_out: float) -> str:
    """What decides how much is left out."""
    options = config.passages
    return (
        f"a passage lasts {options.min_seconds:g} to {options.max_seconds:g} s (passages.min_seconds, max_seconds), and "
        f"shorter speech is joined across {options.join_within:g} s of pause or music at most (passages.join_within)"
        if left_out >= 0.5
        else ""
    )


def _slices(*parts: tuple[str, str, float]) -> tuple[Slice, ...]:
    return tuple(Slice(why, kind, seconds) for why, kind, seconds in parts if seconds >= 0.5)


def _failed_seconds(store: Store, stage: str) -> sqlite3.Row:
    """How much sound, and speech in it, belongs to recordings that failed at this stage."""
    row: sqlite3.Row = store.connection.execute(
        """SELECT coalesce(sum(r.seconds), 0) AS seconds, coalesce(sum(r.speech), 0) AS speech
           FROM failures f JOIN report_recordings r ON r.id = f.item WHERE f.stage = ?""",
        (stage,),
    ).fetchone()
    return row


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
    query = 'SELECT "end" - start, snr_db, loudness_lufs, bandwidth_hz / 1000, ("end" - start) / 3600 FROM segments'
    count_rows(_batches(store, query), segments, (None, 4, 4, 4))
    passages = FineCounts(of_passages.low, of_passages.high, of_passages.fine)
    count_rows(_batches(store, 'SELECT "end" - start FROM passages'), [passages], (None,))
    drawn = [draw_bars(m, c) for m, c in zip(of_segments, segments, strict=True)]
    drawn.insert(1, draw_bars(of_passages, passages))
    of_drafts = (
        Measure("How sure the transcript is", "", "drafts", 0, 1.0001, 0.01, 2, axis=(0, 1)),
        Measure("Characters a second", "", "drafts", 0, 60, 0.1, 1),
        Measure("Words said for each of the summary", "", "drafts", 0, 100, 0.1, 1),
    )
    drafts = [FineCounts(m.low, m.high, m.fine) for m in of_drafts]
    query = """SELECT v.confidence, c.characters_per_second, c.compression FROM checks c
               JOIN passages p ON p.id = c.passage LEFT JOIN verdicts v ON v.passage = c.passage"""
    count_rows(_batches(store, query), drafts, (None, None, None))
    drawn += [draw_bars(m, c) for m, c in zip(of_drafts, drafts, strict=True)]
    yield from (h for h in drawn if h)


def _batches(store: Store, query: str) -> Iterator[Sequence[Sequence[float | None]]]:
    cursor = store.connection.cursor()
    cursor.row_factory = None
    cursor.execute(query)
    while rows := cursor.fetchmany(BATCH):
        yield rows


def _recordings(store: Store, extent: Extent) -> Iterator[RecordingFacts]:
    rows = store.connection.execute(
        "SELECT * FROM report_recordings ORDER BY seconds - passage_seconds DESC, id LIMIT ?",
        (max(extent.rows, extent.timelines),),
    ).fetchall()
    for place, row in enumerate(rows):
        drawn = place < extent.timelines
        yield RecordingFacts(
            recording=load_recording(store, row["id"]),
            segments=row["segments"],
            speech=row["speech"],
            music=row["music"],
            passages=row["passages"],
            passage_seconds=row["passage_seconds"],
            spans=_spans(store, row["id"]) if drawn else (),
            marked=tuple(list_passages(store, row["id"])) if drawn else (),
        )


def _spans(store: Store, recording: str) -> tuple[Span, ...]:
    row = store.connection.execute("SELECT * FROM timelines WHERE recording = ?", (recording,)).fetchone()
    return revive(Timeline, row).spans if row else ()


def _sampled(store: Store, passage: Passage) -> SampledPassage:
    drafted = load_drafted(store, passage.id)
    return SampledPassage(drafted, tuple(shown_lines(drafted)))
