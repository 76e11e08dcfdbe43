"""Workspaces of any size to publish: real clips, repeated, under drafts of words that differ from row to row."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aramega.audio.clips import encode_flac
from aramega.records import (
    RATE,
    Draft,
    Labels,
    Line,
    Metadata,
    Passage,
    Recording,
    Score,
    Segment,
    Summary,
    Timeline,
    Transcript,
    Verdict,
    stretch_id,
)
from aramega.stages.base import Takes
from aramega.store import Finished, Mark, Store
from aramega.store.results import write_outcomes
from aramega.workspace import WorkspaceFolder
from tests.support.drafts import put_draft
from tests.support.workspaces import a_recording, put_recording

SAMPLE = Path(__file__).resolve().parent.parent / "aramega" / "sample" / "broadcast.mp3"
SECONDS, SEGMENTS, PASSAGES = 60, 6, 60
"""A recording is an hour: sixty passages of a minute, each of six segments."""
WORDS = [f"كلمة{n}" for n in range(5000)]


def real_clips(count: int = 12) -> list[bytes]:
    """Minutes of the sample broadcast, each begun a little later, as FLAC."""
    command = ["ffmpeg", "-v", "error", "-i", SAMPLE, "-ar", str(RATE), "-ac", "1", "-f", "s16le", "-"]
    samples = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.int16)
    steps = np.linspace(0, len(samples) - SECONDS * RATE, count).astype(int)
    return [encode_flac(samples[at : at + SECONDS * RATE], level=3) for at in steps]


def make_set(folder: Path, hours: int, clips: list[bytes]) -> WorkspaceFolder:
    """A workspace of so many hours; every clip is a file of its own."""
    workspace = WorkspaceFolder(folder)
    hashes = [hashlib.sha256(clip).hexdigest() for clip in clips]
    with Store.create_or_open(workspace) as store:
        for hour in range(hours):
            known = a_recording(hashlib.sha256(str(hour).encode()).hexdigest()[:16], f"{hour}.mp3", 3600.0)
            put_recording(store, known, Metadata(programme=f"p{hour // 2}", licence="CC-BY-4.0", date="2026-01-01"))
            _put_passages(store, workspace, known, clips, hashes, seed=hour)
    return workspace


def _put_passages(
    store: Store, workspace: WorkspaceFolder, known: Recording, clips: list[bytes], hashes: list[str], seed: int
) -> None:
    rng = random.Random(seed)
    segments, passages, drafts = [], [], []
    for number in range(PASSAGES):
        start, which = float(number * SECONDS), rng.randrange(len(clips))
        inside = _segments(known.id, start)
        passage = Passage(
            id=stretch_id(known.id, start, start + SECONDS),
            recording=known.id,
            start=start,
            end=start + SECONDS,
            segments=tuple(s.id for s in inside),
            speech_seconds=sum(s.seconds for s in inside),
            clip=workspace.relative(workspace.clip(known.id, stretch_id(known.id, start, start + SECONDS))),
            clip_sha256=hashes[which],
            snr_db=18.0,
        )
        path = workspace.root / passage.clip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clips[which])
        segments += inside
        passages.append(passage)
        drafts.append(_draft(passage, inside, rng))
    made = [Timeline(known.id, ()), *segments]
    write_outcomes(store, [Finished(Mark("segment", "b1"), known.id, (Timeline, Segment), made, 0.5)])
    write_outcomes(store, [Finished(Mark("passages", "c1", Takes.RECORDING), known.id, (Passage,), passages, 0.5)])
    with_all = [draft for draft in drafts if draft.transcript]
    for draft in with_all:
        put_draft(store, draft)


def _segments(recording: str, start: float) -> list[Segment]:
    long = SECONDS / SEGMENTS
    times = [(start + i * long, start + (i + 1) * long - 0.4) for i in range(SEGMENTS)]
    return [Segment(stretch_id(recording, a, b), recording, a, b, snr_db=18.0) for a, b in times]


def _draft(passage: Passage, segments: list[Segment], rng: random.Random) -> Draft:
    """As whisper leaves them: 20 words a segment, with tokens and scores."""
    lines = tuple(
        Line(
            s.id,
            " ".join(rng.choices(WORDS, k=20)),
            s.start,
            s.end,
            "ar",
            avg_logprob=-0.3,
            compression_ratio=1.4,
            tokens=tuple(rng.choices(range(50_000), k=60)),
        )
        for s in segments
    )
    return Draft(
        transcript=Transcript(passage.id, lines, "whisper:large-v3-turbo", "ar"),
        summary=Summary(
            passage.id, " ".join(rng.choices(WORDS, k=25)), "عنوان", ("أخبار",), True, "openai:test", "s@1"
        ),
        labels=Labels(passage.id, (Score(rng.choice(("MSA", "EGY")), 0.8),), "test", (Score("neutral", 0.7),), "test"),
        verdict=Verdict(passage.id, "keep", (), confidence=0.9, priority=0.1),
    )
