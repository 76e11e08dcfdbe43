"""ProgressReporter: sends a BuildProgress to each listener about once a second, and at the end of a build.

Who works at what, and where, only the driver knows. How much is done and waits in all is in the database; to ask it takes
seconds on a workspace of millions, so it is asked the more rarely the longer it takes, and what has ended since is added.

Nothing here may harm the build. A listener that fails, on a full disk say, is complained of once; the build goes on.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType

from typing_extensions import Self

from aramega.engine import WorkerStatus
from aramega.engine.worker import this_node
from aramega.monitor.estimates import count_left, longest, seconds_left
from aramega.monitor.status import StageStatus, stage_status
from aramega.monitor.throughput import Throughput
from aramega.pipeline import Pipeline
from aramega.pipeline.plan import Progress
from aramega.records import BuildProgress, BuildState, Failure, StageProgress, timestamp
from aramega.records.progress import VERSION
from aramega.store import Store
from aramega.store.draft_counts import count_decisions
from aramega.store.recordings import count_recordings
from aramega.store.reviews import count_unreviewed

SHOWN_FAILURES = 5
_REST_OF_COUNTING, _REST_OF_REPORTING = 100, 30
"""Each may take one part in so many of the driver's time: the report of a thousand nodes is long."""
_LONGEST_REST = 20.0
"""Seconds between two reports, however long they take: a reader elsewhere gives a build up after a minute."""

ProgressListener = Callable[[BuildProgress], None]


@dataclass(frozen=True)
class _Counts:
    """What the database held when it was asked, and how much this run had finished by then."""

    stages: tuple[StageStatus, ...]
    recordings: int
    drafts: dict[str, int]
    unreviewed: dict[str, int]
    done: Counter[str]
    failed: Counter[str]


@dataclass
class ProgressReporter:
    """Collects task results and worker states, and sends a BuildProgress to each listener about once a second."""

    store: Store
    pipeline: Pipeline
    engine: str
    listeners: Sequence[ProgressListener]
    complain: Callable[[str], None]
    """Called once, with the reason, if a listener fails."""
    _failures: deque[Failure] = field(default_factory=lambda: deque(maxlen=SHOWN_FAILURES))
    _last_item_at: str | None = None
    _complained: bool = False

    def __enter__(self) -> Self:
        self._begun = timestamp()
        self._throughput = Throughput(time.monotonic())
        self._count_at = self._report_at = 0.0
        self._report("building", ())
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._count_at = 0.0
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt | GeneratorExit)
        self._report("finished" if kind is None else "interrupted" if interrupted else "crashed", ())

    def note(self, news: Sequence[Progress]) -> None:
        """Count the results of a commit."""
        self._throughput.note(news)
        now = timestamp()
        for result in news:
            if result.error and not result.stopped:
                self._failures.appendleft(Failure(result.stage, result.item, result.error, now, result.name))
        if any(not result.stopped for result in news):
            self._last_item_at = now

    def look(self, workers: Sequence[WorkerStatus]) -> None:
        """Report, if it is time, at a moment when each worker has been given what there is."""
        begun = time.monotonic()
        if begun < self._report_at:
            return
        self._report("building", workers)
        now = time.monotonic()
        self._report_at = now + min(_LONGEST_REST, _REST_OF_REPORTING * (now - begun))

    def _report(self, state: BuildState, workers: Sequence[WorkerStatus]) -> None:
        try:
            self._throughput.look(workers, time.monotonic())
            progress = self._progress(state, workers)
            for listener in self.listeners:
                listener(progress)
        except (OSError, sqlite3.Error) as error:
            if not self._complained:
                self.complain(f"the progress of this build can't be told ({error}). The build goes on.")
            self._complained = True

    def _progress(self, state: BuildState, workers: Sequence[WorkerStatus]) -> BuildProgress:
        if time.monotonic() >= self._count_at:
            self._count()
        statuses = self._up_to_date()
        left = count_left(self._counts.recordings, statuses, [stage.takes for stage in self.pipeline.chosen])
        stages = tuple(self._stage(status, left[status.stage], workers) for status in statuses)
        return BuildProgress(
            version=VERSION,
            at=timestamp(),
            state=state,
            begun=self._begun,
            pid=os.getpid(),
            host=this_node(),
            engine=self.engine,
            workers=len(workers),
            busy=sum(worker.at is not None for worker in workers),
            stages=stages,
            nodes=self._throughput.nodes(),
            seconds_left=longest(stage.seconds_left for stage in stages),
            last_item_at=self._last_item_at,
            drafts=self._counts.drafts,
            unreviewed=self._counts.unreviewed,
            last_failures=tuple(self._failures),
        )

    def _stage(self, status: StageStatus, left: int, workers: Sequence[WorkerStatus]) -> StageProgress:
        pace = self._throughput.items_a_minute(status.stage)
        at_it = [worker for worker in workers if worker.at == status.stage]
        under_way = len({item for worker in at_it for item in worker.items})
        return StageProgress(
            stage=status.stage,
            waiting=max(0, status.pending - under_way),
            under_way=under_way,
            done=status.done,
            failed=status.failed,
            workers=len(at_it) + sum(w.at is None and w.stages == {status.stage} for w in workers),
            busy=len(at_it),
            items_a_minute=round(pace, 2),
            hours_of_sound_an_hour=round(self._throughput.hours_an_hour(status.stage), 2),
            left=left,
            seconds_left=_rounded(seconds_left(left, pace)),
            steps_done=sum(worker.step.done for worker in at_it if worker.step),
            steps=sum(worker.step.of for worker in at_it if worker.step),
            step_unit=next((worker.step.unit for worker in at_it if worker.step), ""),
        )

    def _count(self) -> None:
        begun = time.monotonic()
        stages = self.pipeline.chosen
        self._counts = _Counts(
            stages=tuple(stage_status(self.store, self.pipeline, stage) for stage in stages),
            recordings=count_recordings(self.store)[0],
            drafts=count_decisions(self.store),
            unreviewed=count_unreviewed(self.store),
            done=Counter({stage.name: self._throughput.done(stage.name) for stage in stages}),
            failed=Counter({stage.name: self._throughput.failed(stage.name) for stage in stages}),
        )
        now = time.monotonic()
        self._count_at = now + _REST_OF_COUNTING * (now - begun)

    def _up_to_date(self) -> list[StageStatus]:
        """The database's counts, with what this run has finished since."""
        current = []
        for status in self._counts.stages:
            done = self._throughput.done(status.stage) - self._counts.done[status.stage]
            failed = self._throughput.failed(status.stage) - self._counts.failed[status.stage]
            pending = max(0, status.pending - done - failed)
            current.append(replace(status, done=status.done + done, failed=status.failed + failed, pending=pending))
        return current


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
