"""The build: which stages, in which order, on which engine.

Work goes depth first: whenever a worker is free it gets the item that is furthest along, so a recording
is finished, and its decoded samples dropped, before the next one is opened. Everything that is known
about progress is in the store; this module holds only what is under way.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aramega.backends.llm.estimates import Estimate
from aramega.config import Config, save_config
from aramega.engine import Engine, Outcome, Task
from aramega.judging import judge_drafts
from aramega.records import AramegaError, Failure, Source
from aramega.sources import Problem
from aramega.stages import make_stages
from aramega.stages.base import Stage, Takes
from aramega.stages.summarize import estimate
from aramega.store import Broken, Finished, Mark, Store, current_marks
from aramega.store.drafts import count_decisions, load_drafted
from aramega.workspace import Workspace


@dataclass(frozen=True)
class Progress:
    """One batch's worth of news, for whoever shows it."""

    stage: str
    item: str
    name: str
    """The file's, whatever the item is."""
    error: str
    seconds: float
    """Of audio, in what the item made."""
    stopped: bool = False
    """The stage can't go on in this run, and the error says why; what it has not done is left for the next."""


@dataclass
class Plan:
    """The stages to run and, for each, what is ready and what is under way."""

    store: Store
    stages: Sequence[Stage[Any]]
    marks: dict[str, Mark]
    limit: int | None = None
    ready: dict[str, deque[str]] = field(default_factory=dict)
    under_way: dict[str, set[str]] = field(default_factory=dict)
    backlog: dict[str, Iterator[str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    """Stages that can't go on in this run, and why."""

    def __post_init__(self) -> None:
        for stage in self.stages:
            self.ready[stage.name] = deque()
            self.under_way[stage.name] = set()
            self.backlog[stage.name] = self.store.pending(*self._asked(stage))

    def next_task(self, allowed: Collection[int]) -> Task | None:
        """What a worker that is free for the `allowed` stages should do now: the item furthest along."""
        for position in sorted(allowed, reverse=True):
            stage = self.stages[position]
            ids = self._take_batch(position)
            if ids:
                return Task(position, tuple(ids), tuple(self.store.load(stage.takes, item) for item in ids))
        return None

    def write(self, outcomes: Sequence[Outcome]) -> list[Progress]:
        """Commit a batch, and queue what it made ready."""
        self.store.write([self._to_write(o) for o in outcomes if not o.postponed])
        for outcome in outcomes:
            stage = self.stages[outcome.stage]
            self.under_way[stage.name].discard(outcome.item)
            if not outcome.error:
                self._queue_followers(stage, outcome)
            self._drop_audio(stage, outcome)
        return [self._news(o) for o in outcomes if not o.postponed] + self._stop_stages(outcomes)

    def _take_batch(self, position: int) -> list[str]:
        """A full batch of the stage's items; fewer only if no earlier stage is about to make more ready."""
        stage = self.stages[position]
        if stage.name in self.stopped:
            return []
        ids = self._take(stage)
        if len(ids) < stage.batch_size and any(self.under_way[s.name] for s in self.stages[:position]):
            self.ready[stage.name].extendleft(reversed(ids))
            self.under_way[stage.name].difference_update(ids)
            return []
        return ids

    def _take(self, stage: Stage[Any]) -> list[str]:
        """Up to a batch of the stage's items that nobody is working on."""
        if stage.takes is Takes.SOURCE and self.limit is not None and self.limit <= 0:
            return []
        ids: list[str] = []
        while len(ids) < stage.batch_size:
            queue = self.ready[stage.name]
            item = queue.popleft() if queue else next(self.backlog[stage.name], None)
            if item is None:
                break
            if item not in self.under_way[stage.name] and self.store.is_pending(*self._asked(stage), item):
                self.under_way[stage.name].add(item)
                self.store.retract(self.marks[stage.name], item)
                ids.append(item)
        if stage.takes is Takes.SOURCE and self.limit is not None:
            self.limit -= len(ids)
        return ids

    def _stop_stages(self, outcomes: Sequence[Outcome]) -> list[Progress]:
        """Give no more to a stage that left an item for later; said once a stage."""
        news = []
        for outcome in outcomes:
            name = self.stages[outcome.stage].name
            if outcome.postponed and name not in self.stopped:
                self.stopped[name] = outcome.error
                news.append(Progress(name, "", "", outcome.error, 0.0, stopped=True))
        return news

    def _asked(self, stage: Stage[Any]) -> tuple[Mark, list[Mark]]:
        return self.marks[stage.name], [self.marks[name] for name in stage.reads]

    def _to_write(self, outcome: Outcome) -> Finished | Broken:
        stage = self.stages[outcome.stage]
        mark = self.marks[stage.name]
        if outcome.error:
            return Broken(mark, outcome.item, outcome.error, outcome.trace)
        return Finished(mark, outcome.item, stage.makes, outcome.records, outcome.took)

    def _queue_followers(self, stage: Stage[Any], outcome: Outcome) -> None:
        for follower in self.stages:
            if stage.name in follower.reads:
                self.ready[follower.name].extend(self.store.items_from(outcome.item, stage.takes, follower.takes))

    def _drop_audio(self, stage: Stage[Any], outcome: Outcome) -> None:
        """Remove a recording's decoded samples once no stage of this build still wants them."""
        if stage.takes is Takes.PASSAGE:
            return
        for recording in self.store.items_from(outcome.item, stage.takes, Takes.RECORDING):
            if not any(self._still_wants(s, recording) for s in self.stages if s.needs_audio):
                stage.workspace.drop_audio(recording)

    def _still_wants(self, stage: Stage[Any], recording: str) -> bool:
        """Whether the stage is at the recording, or will be: now, or once what it reads is there."""
        if recording in self.under_way[stage.name]:
            return True
        doomed = any(self.store.has_failed(self.marks[name], recording) for name in stage.reads)
        return not doomed and self.store.is_pending(self.marks[stage.name], [], recording)

    def _news(self, outcome: Outcome) -> Progress:
        kind = self.stages[outcome.stage].makes[-1]
        made: list[Any] = [r for r in outcome.records if isinstance(r, kind)]
        seconds = sum(getattr(r, "seconds", 0.0) for r in made)
        stage = self.stages[outcome.stage]
        name = self.store.name_of(stage.takes, outcome.item)
        return Progress(stage.name, outcome.item, name, outcome.error, seconds)


@dataclass(frozen=True)
class Request:
    """What a curator asked for, beyond the configuration."""

    until: str | None = None
    limit: int | None = None
    retry_failed: bool = False


def run_build(
    store: Store, workspace: Workspace, config: Config, engine: Engine, request: Request
) -> Iterator[list[Progress]]:
    """Run every stage over all that is pending; yields after each commit. Hold `building` around it."""
    stages = make_stages(config, workspace)
    marks = current_marks(stages)
    if request.retry_failed:
        store.forget_failures()
        for stage in stages:
            stage.forget_failures()
    chosen = _up_to(stages, request.until)
    plan = Plan(store, chosen, marks, request.limit)
    try:
        with closing(engine.run(chosen, plan.next_task)) as batches:
            for outcomes in batches:
                news = plan.write(outcomes)
                del outcomes  # a long recording's segments, before the next task's are loaded
                yield news
        judge_drafts(store, config.check)
    finally:
        workspace.drop_scratch()
        workspace.drop_leftovers()


def add_sources(
    store: Store, workspace: Workspace, config: Config, named: Sequence[str], found: Iterable[Source | Problem]
) -> None:
    """Note what a curator named, what has become of what was named before, and the configuration to build with."""
    save_config(config, workspace.config)
    ingest = current_marks(make_stages(config, workspace))["ingest"]
    if named:
        store.forget_misnamed([os.path.abspath(name) for name in named], gone=_is_gone)
    sources = {source.path: source for source in store.sources()}
    problems = []
    for one in found:
        if isinstance(one, Source):
            sources[one.path] = one
        else:
            problems.append(Broken(ingest, one.where, one.why))
    store.add_sources((source, *_size_and_time(source.path)) for source in sources.values())
    store.write(problems)


def count_pending(store: Store, workspace: Workspace, config: Config) -> dict[str, int]:
    """How many items each stage has neither done nor failed."""
    stages = make_stages(config, workspace)
    marks = current_marks(stages)
    return {s.name: store.count_pending(marks[s.name], [marks[name] for name in s.reads]) for s in stages}


def estimate_summaries(store: Store, workspace: Workspace, config: Config) -> Estimate:
    """What it takes to summarize the passages that are transcribed and have no current summary."""
    stages = make_stages(config, workspace)
    marks = current_marks(stages)
    if "summarize" not in marks or config.summarize.model.kind == "extractive":
        return estimate((), config.summarize)
    left = store.pending(marks["summarize"], [marks["transcribe"]])
    return estimate((load_drafted(store, passage) for passage in left), config.summarize)


def _is_gone(path: str) -> bool:
    """No longer there, while its folder is: removed or renamed, and not merely a disk that is not mounted."""
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


def summarize(store: Store, workspace: Workspace, config: Config, took: float, *, show_failures: int = 20) -> Summary:
    """What the workspace has come to."""
    marks = current_marks(make_stages(config, workspace))
    grouped = store.tally(marks["passages"])
    recordings, seconds = store.count_recordings()
    failures = store.failures(marks.values())
    return Summary(
        recordings=recordings,
        hours=seconds / 3600,
        passages=int(grouped["made"]),
        passage_hours=grouped["seconds"] / 3600,
        failed=len(failures),
        failures=tuple(failures[:show_failures]),
        took=took,
        workspace=str(workspace.root),
        drafted=int(store.tally(marks["transcribe"])["done"]) if "transcribe" in marks else 0,
        decisions=count_decisions(store),
        left={stage: number for stage, number in count_pending(store, workspace, config).items() if number},
    )


def _size_and_time(path: str) -> tuple[int | None, int | None]:
    try:
        about = os.stat(path)
    except OSError:
        return None, None
    return about.st_size, about.st_mtime_ns


@contextmanager
def building(workspace: Workspace) -> Iterator[None]:
    """Be the only build on this workspace; the lock goes with the process, however it ends."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    with workspace.lock.open("a+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            lock.seek(0)
            raise AramegaError(
                f"{workspace.root}: another build is at work here (process {lock.read().strip() or 'unknown'}). "
                "Wait for it, or stop it, then run again."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        workspace.drop_leftovers()
        yield


def check_request(workspace: Workspace, config: Config, request: Request) -> None:
    """Raise for what is wrong or missing before anything is written."""
    for stage in _up_to(make_stages(config, workspace), request.until):
        stage.check()


def _up_to(stages: Sequence[Stage[Any]], until: str | None) -> Sequence[Stage[Any]]:
    names = [stage.name for stage in stages]
    if until is None:
        return stages
    if until not in names:
        raise AramegaError(f"--until {until}: no such stage. The stages are: {', '.join(names)}.")
    return stages[: names.index(until) + 1]
