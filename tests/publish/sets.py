"""Workspaces to publish: every passage says something of its own, and people have reviewed what the test asks for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from aramega.config import LabelConfig, PublishConfig
from aramega.publish import Published, PublishJob, publish
from aramega.publish.folder import FolderTarget
from aramega.records import DraftedPassage, Metadata, ResolvedPassage, Settled, SettledLine, Source
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.store.reviews import write_resolved
from aramega.store.sources import list_sources, note_sources
from aramega.workspace import WorkspaceFolder
from tests.support.database import connection_of
from tests.support.drafts import drafted_workspace, put_draft

WORDS = (
    "المدينة الحكومة القرار الميزانية المدرسة الطبيب البحر السوق المطار الجسر القطار الانتخابات المباراة الكتاب "
    "الشاعر المسرح الحديقة المصنع النفط الكهرباء الماء الطريق السيارة الجامعة الطالب المعلم الوزير الرئيس البرلمان"
).split()


def a_set(folder: Path, recordings: int = 6, passages: int = 2, *, seconds: float = 20.0) -> WorkspaceFolder:
    """Drafted passages, no two alike, a programme and a speaker for each recording."""
    workspace = drafted_workspace(folder, recordings, passages, seconds=seconds)
    with Store.create_or_open(workspace) as store:
        for number, passage in enumerate(find_passages(store)):
            put_draft(store, _saying_something_else(load_drafted(store, passage), number))
    return workspace


def _saying_something_else(drafted: DraftedPassage, number: int):
    rng = random.Random(number)
    transcript, summary = drafted.draft.transcript, drafted.draft.summary
    assert transcript
    assert summary
    lines = tuple(replace(line, text=" ".join(rng.choices(WORDS, k=12))) for line in transcript.lines)
    said = " ".join(rng.choices(WORDS, k=6)) + "."
    return replace(drafted.draft, transcript=replace(transcript, lines=lines), summary=replace(summary, text=said))


def resolve(workspace: WorkspaceFolder, passages: Iterable[str] | None = None, **fields: object) -> list[str]:
    """Reviewers accept these passages (all, if none is named) as they are, except for `fields`."""
    with Store.create_or_open(workspace) as store:
        chosen = list(passages if passages is not None else find_passages(store))
        write_resolved(store, (replace(accepted(load_drafted(store, p)), **fields) for p in chosen))  # type: ignore[arg-type]
    return chosen


def accepted(drafted: DraftedPassage) -> ResolvedPassage:
    """What is settled where one reviewer confirmed everything."""
    draft = drafted.draft
    assert draft.transcript
    assert draft.summary
    assert draft.labels

    def confirmed(value: str) -> Settled:
        return Settled(value, verified=True, how="single", annotators=("amal@example.org",), distance=0.0)

    return ResolvedPassage(
        passage=drafted.id,
        accepted=True,
        transcript=confirmed(draft.transcript.text),
        summary=confirmed(draft.summary.text),
        title=confirmed(draft.summary.title),
        dialect=confirmed(draft.labels.dialect[0].label),
        emotion=confirmed(draft.labels.emotion[0].label),
        topics=draft.summary.topics,
        lines=tuple(SettledLine(line.segment, line.start, line.end, line.text) for line in draft.transcript.lines),
        reviews=("r1",),
        resolved_at="2026-02-02T00:00:00+00:00",
    )


def describe_recordings(workspace: WorkspaceFolder, change: Callable[[Metadata], Metadata]) -> None:
    """Change what the manifest says of every recording."""
    with Store.create_or_open(workspace) as store:
        sources = [Source(source.path, change(source.metadata)) for source in list_sources(store)]
        for source in sources:
            size, mtime = (
                connection_of(store)
                .execute("SELECT size, mtime_ns FROM sources WHERE path = ?", (source.path,))
                .fetchone()
            )
            note_sources(store, [(source, size, mtime)])


def publish_to(workspace: WorkspaceFolder, folder: Path, **options: object) -> Published:
    """Publish into a folder with these options, the rest as the defaults are."""
    how = {name: options.pop(name) for name in ("tag", "withdrawn", "dry_run", "format") if name in options}
    labels = LabelConfig(**{name: options.pop(name) for name in ("dialects", "emotions") if name in options})  # type: ignore[arg-type]
    force = bool(options.pop("force", False))
    with Store.open(workspace) as store:
        target = FolderTarget(folder, force=force)
        return publish(store, workspace, PublishJob(PublishConfig(**options), labels, target, **how))  # type: ignore[arg-type]
