"""Progress: a build's driver tells about it, about once a second and at the end.

The driver knows what the books do not: who works at what, and where. What the books know better, how much is done and
waits in all, is asked of them; on a workspace of millions that takes seconds, so it is asked the more rarely the longer
it takes, and what has happened since is added meanwhile.

Nothing here may harm the build. What cannot be told, on a full disk say, is said to be so once, and the build goes on.
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
from aramega.monitor.status import StageStatus, stage_books
from aramega.monitor.throughput import Tallies
from aramega.pipeline import Pipeline
from aramega.pipeline.plan import Progress
from aramega.records import BuildProgress, BuildState, Failure, StageProgress, timestamp
from aramega.records.progress import VERSION
from aramega.store import Store
from aramega.store.drafts import count_decisions
from aramega.store.reviews import count_unreviewed

SHOWN_FAILURES = 5
_REST_OF_ASKING, _REST_OF_TELLING = 100, 30
"""Each may take one part in so many of the driver's time: a cluster of a thousand nodes has much to tell."""
_LONGEST_REST = 20.0
"""Seconds between two tellings, however long they take: a reader elsewhere waits for a word a minute."""

Tell = Callable[[BuildProgress], None]


@dataclass(frozen=True)
class _Books:
    """What the books said, and how much this run had finished by then."""

    stages: tuple[StageStatus, ...]
    recordings: int
    drafts: dict[str, int]
    unreviewed: dict[str, int]
    done: Counter[str]
    failed: Counter[str]


@dataclass
class Teller:
    """Stands beside the driver: is told the news, looks at the workers, and tells the others."""

    store: Store
    pipeline: Pipeline
    engine: str
    others: Sequence[Tell]
    complain: Callable[[str], None]
    """Told, once, why the others could not be told."""
    _failures: deque[Failure] = field(default_factory=lambda: deque(maxlen=SHOWN_FAILURES))
    _last_item_at: str | None = None
    _complained: bool = False

    def __enter__(self) -> Self:
        self._begun = timestamp()
        self._tallies = Tallies(time.monotonic())
        self._ask_at = self._tell_at = 0.0
        self._tell("building", ())
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._ask_at = 0.0
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt | GeneratorExit)
        self._tell("finished" if kind is None else "interrupted" if interrupted else "crashed", ())

    def note(self, news: Sequence[Progress]) -> None:
        """After each commit."""
        self._tallies.note(news)
        now = timestamp()
        for one in news:
            if one.error and not one.stopped:
                self._failures.appendleft(Failure(one.stage, one.item, one.error, now, one.name))
        if any(not one.stopped for one in news):
            self._last_item_at = now

    def look(self, workers: Sequence[WorkerStatus]) -> None:
        """At a moment when everybody has been given what there is."""
        begun = time.monotonic()
        if begun < self._tell_at:
            return
        self._tell("building", workers)
        now = time.monotonic()
        self._tell_at = now + min(_LONGEST_REST, _REST_OF_TELLING * (now - begun))

    def _tell(self, state: BuildState, workers: Sequence[WorkerStatus]) -> None:
        try:
            self._tallies.look(workers, time.monotonic())
            progress = self._progress(state, workers)
            for tell in self.others:
                tell(progress)
        except (OSError, sqlite3.Error) as error:
            if not self._complained:
                self.complain(f"the progress of this build can't be told ({error}). The build goes on.")
            self._complained = True

    def _progress(self, state: BuildState, workers: Sequence[WorkerStatus]) -> BuildProgress:
        if time.monotonic() >= self._ask_at:
            self._ask_books()
        books = self._up_to_date()
        left = count_left(self._books.recordings, books, [stage.takes for stage in self.pipeline.chosen])
        stages = tuple(self._stage(book, left[book.stage], workers) for book in books)
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
            nodes=self._tallies.nodes(),
            seconds_left=longest(stage.seconds_left for stage in stages),
            last_item_at=self._last_item_at,
            drafts=self._books.drafts,
            unreviewed=self._books.unreviewed,
            last_failures=tuple(self._failures),
        )

    def _stage(self, book: StageStatus, left: int, workers: Sequence[WorkerStatus]) -> StageProgress:
        pace = self._tallies.items_a_minute(book.stage)
        at_it = [worker for worker in workers if worker.at == book.stage]
        under_way = len({item for worker in at_it for item in worker.items})
        return StageProgress(
            stage=book.stage,
            waiting=max(0, book.pending - under_way),
            under_way=under_way,
            done=book.done,
            failed=book.failed,
            workers=len(at_it) + sum(w.at is None and w.stages == {book.stage} for w in workers),
            busy=len(at_it),
            items_a_minute=round(pace, 2),
            hours_of_sound_an_hour=round(self._tallies.hours_an_hour(book.stage), 2),
            left=left,
            seconds_left=_rounded(seconds_left(left, pace)),
            steps_done=sum(worker.step.done for worker in at_it if worker.step),
            steps=sum(worker.step.of for worker in at_it if worker.step),
            step_unit=next((worker.step.unit for worker in at_it if worker.step), ""),
        )

    def _ask_books(self) -> None:
        begun = time.monotonic()
        stages = self.pipeline.chosen
        self._books = _Books(
            stages=tuple(stage_books(self.store, self.pipeline, stage) for stage in stages),
            recordings=self.store.connection.execute("SELECT count(*) FROM recordings").fetchone()[0],
            drafts=count_decisions(self.store),
            unreviewed=count_unreviewed(self.store),
            done=Counter({stage.name: self._tallies.done(stage.name) for stage in stages}),
            failed=Counter({stage.name: self._tallies.failed(stage.name) for stage in stages}),
        )
        now = time.monotonic()
        self._ask_at = now + _REST_OF_ASKING * (now - begun)

    def _up_to_date(self) -> list[StageStatus]:
        """The books as they were, with what this run has finished since."""
        told = []
        for book in self._books.stages:
            done = self._tallies.done(book.stage) - self._books.done[book.stage]
            failed = self._tallies.failed(book.stage) - self._books.failed[book.stage]
            pending = max(0, book.pending - done - failed)
            told.append(replace(book, done=book.done + done, failed=book.failed + failed, pending=pending))
        return told


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
