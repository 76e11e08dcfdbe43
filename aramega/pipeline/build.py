"""The build: which stages, in which order, on which engine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from aramega.backends.llm.estimates import Estimate
from aramega.config import save_config
from aramega.engine import Engine
from aramega.locks import hold
from aramega.pipeline.pipeline import Pipeline
from aramega.pipeline.plan import Plan, Progress
from aramega.records import AramegaError, Failure, Metadata, NotNow, Part, Source
from aramega.remote import RemoteFile, file_at, files_at, is_address
from aramega.settle.judging import judge_drafts
from aramega.sidecars import with_sidecar
from aramega.sources import Problem
from aramega.stages.names import INGEST, PASSAGES, SUMMARIZE, TRANSCRIBE
from aramega.stages.summarize import estimate
from aramega.store import Broken, Store
from aramega.store.draft_counts import count_decisions
from aramega.store.passages import iterate_passages
from aramega.store.pending import count_pending_items, list_pending
from aramega.store.recordings import count_recordings
from aramega.store.results import forget_failures, list_failures, tally_results, write_outcomes
from aramega.store.sources import forget_misnamed, list_sources, note_sources
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True)
class Request:
    """What a curator asked for, beyond the configuration."""

    limit: int | None = None
    retry_failed: bool = False


def run_build(
    store: Store, pipeline: Pipeline, engine: Engine, request: Request | None = None
) -> Iterator[list[Progress]]:
    """Run every stage over all that is pending; yields after each commit, and about once a second without
    news, when the engine's workers have been given what there is. Hold `building` around it."""
    request = request or Request()
    if request.retry_failed:
        forget_failures(store)
        for stage in pipeline.stages:
            stage.forget_failures()
    plan = Plan(store, pipeline, engine.workers, request.limit)
    try:
        with closing(engine.run(pipeline.chosen, plan.next_task)) as batches:
            for answers in batches:
                calm = not answers
                news = [] if calm else plan.write(answers)
                del answers  # a long recording's segments, before the next task's are loaded
                if news or calm:
                    yield news
        judge_drafts(store, pipeline.config.check)
    finally:
        pipeline.workspace.drop_scratch()
        pipeline.workspace.drop_leftovers()


def add_sources(
    store: Store, pipeline: Pipeline, named: Sequence[str], sources_found: Iterable[Source | Problem]
) -> list[str]:
    """Note what a curator named, what has become of what was named before, and the configuration to build with. The
    answer says which files beside recordings were passed over."""
    save_config(pipeline.config, pipeline.workspace.config)
    ingest = pipeline.marks[INGEST]
    if named:
        forget_misnamed(store, [name if is_address(name) else os.path.abspath(name) for name in named], gone=_is_gone)
    sources = {source.path: source for source in list_sources(store)}
    problems, passed_over = [], []
    for item in sources_found:
        if isinstance(item, Source):
            try:
                sources[item.path] = _with_metadata(item, sources.get(item.path))
            except AramegaError as error:
                sources[item.path] = item
                passed_over.append(str(error))
        else:
            problems.append(Broken(ingest, item.where, item.why))
    stored = files_at(path for path in sources if is_address(path))
    note_sources(store, ((source, *_size_and_time(source.path, stored)) for source in sources.values()))
    write_outcomes(store, problems)
    return passed_over


def _with_metadata(source: Source, before: Source | None) -> Source:
    """What a file beside it says, too: for a source that is new or described anew, so that naming an archive again
    neither reads all its sidecars nor puts them over what a manifest said in an earlier run."""
    if before and before.metadata != Metadata() and source.metadata == Metadata():
        return source
    return with_sidecar(source)


def count_pending(store: Store, pipeline: Pipeline) -> dict[str, int]:
    """How many items each stage has neither done nor failed."""
    return {stage.name: count_pending_items(store, *pipeline.needs(stage)) for stage in pipeline.stages}


def estimate_summaries(store: Store, pipeline: Pipeline) -> Estimate:
    """What it takes to summarize the passages that are transcribed and have no current summary."""
    marks, config = pipeline.marks, pipeline.config
    if SUMMARIZE not in marks or config.summarize.model.kind == "extractive":
        return estimate((), config.summarize)
    left = list_pending(store, marks[SUMMARIZE], [marks[TRANSCRIBE]])
    return estimate(iterate_passages(store, left, Part.TRANSCRIPT), config.summarize)


def _is_gone(path: str) -> bool:
    """No longer there, while its folder is: removed or renamed, and not merely a disk that is not mounted."""
    if is_address(path):
        return file_at(path) is None
    return not os.path.lexists(path) and os.path.isdir(os.path.dirname(path))


@dataclass(frozen=True)
class Summary:
    """What a build came to, in all its runs so far."""

    recordings: int
    hours: float
    passages: int
    passage_hours: float
    failed: int
    failures: tuple[Failure, ...]
    """The first of them."""
    took: float
    """Seconds of this run."""
    workspace: str
    drafted: int = 0
    """Passages that have a draft; of these, by decision, how many."""
    decisions: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    """Items that are still to be done, by stage, where there are any."""


def summarize(store: Store, pipeline: Pipeline, took: float, *, show_failures: int = 20) -> Summary:
    """What the workspace has come to."""
    marks = pipeline.marks
    grouped = tally_results(store, marks[PASSAGES])
    recordings, seconds = count_recordings(store)
    failures = list_failures(store, marks.values())
    return Summary(
        recordings=recordings,
        hours=seconds / 3600,
        passages=int(grouped["made"]),
        passage_hours=grouped["seconds"] / 3600,
        failed=len(failures),
        failures=tuple(failures[:show_failures]),
        took=took,
        workspace=str(pipeline.workspace.root),
        drafted=int(tally_results(store, marks[TRANSCRIBE])["done"]) if TRANSCRIBE in marks else 0,
        decisions=count_decisions(store),
        left={stage: number for stage, number in count_pending(store, pipeline).items() if number},
    )


def _size_and_time(path: str, stored: Mapping[str, RemoteFile]) -> tuple[int | None, int | None]:
    if is_address(path):
        entry = stored.get(path)
        return (entry.size, entry.stamp) if entry else (None, None)
    try:
        about = os.stat(path)
    except OSError:
        return None, None
    return about.st_size, about.st_mtime_ns


@contextmanager
def building(workspace: WorkspaceFolder) -> Iterator[None]:
    """Be the only build on this workspace; the lock goes with the process, however it ends."""
    workspace.root.mkdir(parents=True, exist_ok=True)

    def busy(holder: int | None) -> AramegaError:
        return NotNow(
            f"{workspace.root}: another build is at work here (process {holder or 'unknown'}). "
            "Wait for it, or stop it, then run again."
        )

    with hold(workspace.lock, busy):
        workspace.drop_leftovers()
        yield
