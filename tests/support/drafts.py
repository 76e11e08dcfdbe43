"""Drafts and reviews made by hand, as the stages and annotators would leave them, in no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aramega.records import (
    Check,
    Draft,
    Labels,
    Line,
    Metadata,
    Passage,
    Recording,
    Review,
    Score,
    Segment,
    Summary,
    Transcript,
    Verdict,
)
from aramega.stages.base import Takes
from aramega.store import Finished, Mark, Store
from aramega.store.results import write_outcomes
from aramega.workspace import WorkspaceFolder
from tests.support.workspaces import (
    a_passage,
    a_recording,
    put_passages,
    put_recording,
    put_segments,
    segments_at,
    write_clip,
)

SENTENCES = (
    "أعلنت وزارة الصحة اليوم افتتاح ثلاثة مستشفيات جديدة في العاصمة",
    "وقال الوزير إن العمل بدأ قبل عامين بتكلفة 250 مليون دولار",
    "فاز المنتخب الوطني على ضيفه بهدفين دون مقابل مساء أمس",
    "تتوقع الأرصاد الجوية أمطارا غزيرة على المناطق الشمالية",
    "ارتفعت أسعار النفط بنسبة 3 في المئة بعد قرار المنظمة",
    "افتتح المهرجان الدولي للسينما دورته الخامسة والعشرين",
)
TITLES = ("مستشفيات جديدة في العاصمة", "فوز المنتخب الوطني", "أمطار في الشمال", "أسعار النفط", "مهرجان السينما")
DIALECTS = ("MSA", "EGY", "LEV", "GLF", "NOR")
EMOTIONS = ("neutral", "happy", "sad", "angry")


def a_draft(passage: Passage, segments: Sequence[Segment], seed: int = 0) -> Draft:
    """A plausible draft; another seed says something else."""
    texts = [SENTENCES[(seed + i) % len(SENTENCES)] for i in range(len(segments))]
    lines = tuple(
        Line(s.id, text, s.start, s.end, "ar", avg_logprob=-0.3, compression_ratio=1.4, no_speech=0.02, temperature=0.0)
        for s, text in zip(segments, texts, strict=True)
    )
    dialect, emotion = DIALECTS[seed % len(DIALECTS)], EMOTIONS[seed % len(EMOTIONS)]
    words = sum(len(text.split()) for text in texts)
    return Draft(
        transcript=Transcript(passage.id, lines, model="whisper:test", language="ar"),
        summary=Summary(
            passage.id,
            text=texts[0] + ".",
            title=TITLES[seed % len(TITLES)],
            topics=("أخبار",),
            abstractive=True,
            model="openai:test",
            prompt="summary@1",
            prompt_tokens=120,
            completion_tokens=30,
            requests=1,
        ),
        labels=Labels(passage.id, (Score(dialect, 0.8), Score("MSA", 0.1)), "test", (Score(emotion, 0.7),), "test"),
        check=Check(passage.id, -0.3, 1.4, 14.0, 1.0, 0.0, words, 1, 10, words / 10, 0.9, 4.0, 0.1),
        verdict=Verdict(passage.id, "review first", ("unsure",), score=0.7, priority=(seed % 10) / 10),
    )


def put_draft(store: Store, draft: Draft) -> None:
    """Write a draft as the stages would, each part under a mark of its own."""
    parts = (
        ("transcribe", draft.transcript),
        ("summarize", draft.summary),
        ("label", draft.labels),
        ("check", draft.check),
        ("judge", draft.verdict),
    )
    made = [(stage, part) for stage, part in parts if part is not None]
    write_outcomes(
        store,
        [Finished(Mark(stage, "d1", Takes.PASSAGE), part.passage, (type(part),), [part], 0.1) for stage, part in made],
    )


def drafted_workspace(
    folder: Path, recordings: int = 2, passages: int = 3, *, seconds: float = 20.0, clips: bool = True
) -> WorkspaceFolder:
    """A workspace with `passages` drafted passages in each of its recordings, and clips of quiet noise."""
    workspace = WorkspaceFolder(folder)
    with Store.create_or_open(workspace) as store:
        for number in range(recordings):
            known = a_recording(f"{number:016x}", f"نشرة {number}.mp3", seconds * passages)
            put_drafted(store, workspace, known, passages, seconds=seconds, clips=clips, seed=number * passages)
    return workspace


def put_drafted(
    store: Store,
    workspace: WorkspaceFolder,
    known: Recording,
    passages: int,
    *,
    seconds: float,
    clips: bool,
    seed: int = 0,
) -> list[Passage]:
    """One recording of `passages` passages of `seconds` each, two segments in each, drafted."""
    about = Metadata(
        title=f"نشرة الأخبار {seed}",
        programme=f"programme {seed}",
        channel="قناة الاختبار",
        date="2026-01-31",
        speaker=f"speaker {seed}",
        licence="CC-BY-4.0",
    )
    put_recording(store, known, about)
    middles = [(i * seconds, i * seconds + seconds / 2) for i in range(passages)]
    times = [t for start, middle in middles for t in ((start + 0.5, middle - 0.5), (middle, start + seconds - 0.5))]
    segments = segments_at(known.id, times)
    put_segments(store, known, segments)
    pairs = [segments[i : i + 2] for i in range(0, len(segments), 2)]
    made = [a_passage(workspace, pair) for pair in pairs]
    if clips:
        made = [_with_clip(workspace, passage) for passage in made]
    put_passages(store, known, made)
    for i, (passage, pair) in enumerate(zip(made, pairs, strict=True)):
        put_draft(store, a_draft(passage, pair, seed + i))
    return made


def _with_clip(workspace: WorkspaceFolder, passage: Passage) -> Passage:
    import hashlib

    sha256 = hashlib.sha256(write_clip(workspace, passage).read_bytes()).hexdigest()
    return replace(passage, clip_sha256=sha256)


@dataclass
class Annotator:
    """Makes reviews by hand; each call is a later word."""

    name: str
    count: int = 0

    def says(self, passage: str, **fields: object) -> Review:
        self.count += 1
        when = f"2026-02-01T10:00:{self.count:02d}+00:00"
        known = Review(f"{self.name}/{passage}@{when}", passage, self.name, "submitted", when, verdict="accept")
        return replace(known, **fields)  # type: ignore[arg-type]
