"""Worker pools: workers that share the same stages, whatever they are made of.

Every engine has one pool for all stages that share the cores and one for each stage that asks for workers
of its own, and the same rule for a worker that dies: an item may kill it (a decoder's crash, the kernel's
out-of-memory killer) and that must cost the item, not the build. The dead worker is replaced, its items
are tried once more one by one, and an item that kills a second worker is recorded as failed.

A worker answers item by item, and each answer is committed when it comes: what a dead worker had answered of its task
is not done again.

A worker gets something to do once it has come, and not before: on a cluster that has no room for it, or
has lost the machine it had, that may be never, and nobody else could have the task.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from aramega.engine import Answer, Failed, NextTask, Task, WorkerStatus
from aramega.stages.base import Stage, Step


class WorkerHandle(Protocol):
    """The driver's end of one worker: the task it holds, and its answers."""

    task: Task | None
    """What it has not answered yet."""
    step: Step | None
    node: str
    ready: bool
    """Whether the worker has come, and can be given a task."""

    def give(self, task: Task) -> None:
        """Have the worker begin."""

    def take(self) -> list[Answer] | None:
        """The answers that are there, none if it has just come or only told a step, or None if the worker is dead."""

    def cause_of_death(self) -> str:
        """Why its worker died, in a line."""

    def restart(self) -> None:
        """Start a new worker in place of a dead one."""

    def stop(self) -> None:
        """The worker is not needed any more; it holds nothing that is not either committed or to be done again."""


StartWorker = Callable[[frozenset[str]], WorkerHandle]
"""Starts a worker for these stages."""
Wait = Callable[[Sequence[Any], float], Sequence[Any]]
"""Blocks until some of these workers have something to take, or so many seconds are over, and says which."""

LOOK_EVERY = 1.0
"""Seconds between the empty batches that let a watcher look."""

Suspects = set[tuple[str, str, int | None]]
"""Stage, item and piece of what was at hand when a worker died."""


def run_pools(pools: Sequence[WorkerPool], next_task: NextTask, wait: Wait) -> Generator[list[Answer], None, None]:
    """Keep every worker busy until nothing is left; yield answers as they come, and an empty batch now and then."""
    suspects: Suspects = set()
    look_at = time.monotonic() + LOOK_EVERY
    try:
        while True:
            for pool in pools:
                pool.give_out(next_task)
            awaited = {id(worker): pool for pool in pools for worker in pool.awaited()}
            if not awaited:
                return
            if time.monotonic() >= look_at:
                yield []
                look_at = time.monotonic() + LOOK_EVERY
            batch: list[Answer] = []  # none of it is kept past its yield: ten hours of segments weigh
            for worker in wait([w for pool in pools for w in pool.awaited()], max(0.0, look_at - time.monotonic())):
                answers = worker.take()
                if answers is None:
                    failed, retry = handle_dead_worker(worker, suspects)
                    batch += failed
                    awaited[id(worker)].waiting.extend(retry)
                    worker.restart()
                elif answers:
                    worker.node = answers[0].node
                    batch += answers
            if batch:
                yield batch
            batch = answers = failed = []
    finally:
        for pool in pools:
            for worker in pool.workers:
                worker.stop()


def statuses_of(pools: Sequence[WorkerPool]) -> list[WorkerStatus]:
    """Every worker that has come."""
    return [_status(worker, pool.stages) for pool in pools for worker in pool.workers if worker.ready]


def _status(worker: WorkerHandle, stages: frozenset[str]) -> WorkerStatus:
    if not worker.task:
        return WorkerStatus(worker.node, stages, None, ())
    return WorkerStatus(worker.node, stages, worker.task.stage, worker.task.ids, worker.step)


def make_pools(stages: Sequence[Stage[Any]], shared: int, start: StartWorker) -> list[WorkerPool]:
    """One for all stages that share, and one for each that does not."""
    together = frozenset(stage.name for stage in stages if stage.workers is None)
    own = [(frozenset({stage.name}), stage.workers) for stage in stages if stage.workers is not None]
    return [WorkerPool(names, size, start) for names, size in [(together, shared), *own]]


@dataclass
class WorkerPool:
    """Up to `size` workers for some of the stages; they are started when there is something to do."""

    stages: frozenset[str]
    size: int
    start: StartWorker
    workers: list[WorkerHandle] = field(default_factory=list)
    waiting: deque[Task] = field(default_factory=deque)
    """What a dead worker left undone, and a task for each who is on the way: the first who is free takes it."""

    def give_out(self, next_task: NextTask) -> None:
        """Give every free worker something to do, and start more while there is more to do than are on their way."""
        free = [worker for worker in self.workers if worker.ready and not worker.task]
        while free:
            task = self.waiting.popleft() if self.waiting else next_task(self.stages)
            if not task:
                return
            free.pop().give(task)
        while (coming := self._coming()) > len(self.waiting) or len(self.workers) < self.size:
            if len(self.waiting) <= coming:
                task = next_task(self.stages)
                if not task:
                    return
                self.waiting.append(task)
            if len(self.waiting) > coming:
                self.workers.append(self.start(self.stages))
                if self.workers[-1].ready:
                    self.workers[-1].give(self.waiting.popleft())

    def _coming(self) -> int:
        return sum(not worker.ready for worker in self.workers)

    def awaited(self) -> list[WorkerHandle]:
        """Who is at work, and, as long as something waits for them, those who are on their way."""
        return [worker for worker in self.workers if worker.task or (self.waiting and not worker.ready)]


def receive(worker: WorkerHandle, messages: Sequence[Answer | Step]) -> list[Answer]:
    """Note what a worker has sent; its answers."""
    answers = [message for message in messages if not isinstance(message, Step)]
    if worker.task:
        worker.task = worker.task.without({answer.item for answer in answers})
    steps = [message for message in messages if isinstance(message, Step)]
    worker.step = None if worker.task is None else steps[-1] if steps else worker.step
    return answers


def handle_dead_worker(worker: WorkerHandle, suspects: Suspects) -> tuple[list[Answer], list[Task]]:
    """What to make of a dead worker's items: a second chance each, one by one; no third."""
    task = worker.task
    if not task:
        return [], []  # it died on its way
    failed: list[Answer] = []
    retry: list[Task] = []
    for name, item in zip(task.ids, task.items, strict=True):
        suspect = (task.stage, name, task.piece)
        if suspect in suspects:
            error = f"its worker died twice, {worker.cause_of_death()}."
            failed.append(Failed(task.stage, name, error, node=worker.node, piece=task.piece))
        else:
            suspects.add(suspect)
            retry.append(replace(task, ids=(name,), items=(item,)))
    return failed, retry
