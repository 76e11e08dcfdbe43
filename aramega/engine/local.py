"""The local engine: worker processes on this machine, one task each at a time.

We keep our own small pool rather than concurrent.futures', which gives up when a worker dies.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

from aramega.engine import Answer, NextTask, Task, WorkerStatus
from aramega.engine.pools import WorkerPool, make_pools, receive, run_pools, statuses_of
from aramega.engine.processes import belong_to, check_importable, start_worker
from aramega.engine.worker import Worker, this_node
from aramega.stages.base import Stage, Step

_MOST_AT_ONCE = 64
"""Answers of one worker in a transaction: enough for quick items, and the other workers are not kept waiting."""


class LocalEngine:
    """Runs tasks on `workers` processes, and stages that ask for workers of their own on those beside them.

    A shared worker keeps to about one core, so N of them use N cores.
    """

    name = "local"

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pools: list[WorkerPool] = []

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Answer], None, None]:
        check_importable(stages)
        self._pools = make_pools(stages, self.workers, lambda _: _LocalWorker(stages))
        yield from run_pools(self._pools, next_task, _wait)

    def statuses(self) -> list[WorkerStatus]:
        return statuses_of(self._pools)


@dataclass
class _LocalWorker:
    """The driver's end of a worker process."""

    stages: Sequence[Stage[Any]]
    task: Task | None = None
    step: Step | None = None
    node: str = field(default_factory=this_node)
    ready: bool = True

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.task = self.step = None
        self.process, self.pipe = start_worker(_work, self.stages)

    def give(self, task: Task) -> None:
        self.task = task
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(task)  # a worker that died idle is noticed when its answer is waited for

    def take(self) -> list[Answer] | None:
        """The answers that have come, or None if the worker is dead."""
        messages: list[Answer | Step] = []
        try:
            while not messages or (len(messages) < _MOST_AT_ONCE and self.pipe.poll()):
                messages.append(self.pipe.recv())
        except (EOFError, ConnectionResetError, OSError):
            if not messages:  # with messages, its end is met once more
                self.process.join()
                return None
        return receive(self, messages)

    def cause_of_death(self) -> str:
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"with exit code {code}"
        name = signal.Signals(-code).name
        return f"by {name}{' (out of memory? Use fewer --workers)' if name == 'SIGKILL' else ''}"

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _wait(busy: Sequence[_LocalWorker], seconds: float) -> list[_LocalWorker]:
    waiting: Any = [worker.pipe for worker in busy]
    ready = wait_for(waiting, seconds)
    return [worker for worker in busy if worker.pipe in ready]


def _work(pipe: Connection, stages: Sequence[Stage[Any]], driver: int) -> None:
    """A worker's life."""
    belong_to(driver)
    worker = Worker(stages)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for message in worker.do(pipe.recv()):
                pipe.send(message)
