"""The local engine: worker processes on this machine, one task each at a time.

We keep our own small pool rather than concurrent.futures', which gives up when a worker dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

from aramega.engine import NextTask, Outcome, Post, Task
from aramega.engine.crews import Crew, make_crews, posts_of, receive, run_crews
from aramega.engine.worker import Worker, this_node
from aramega.stages.base import Stage, Step

# Forking takes milliseconds and shares what is imported; the driver has one thread, so it is safe there.
START: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


_MOST_AT_ONCE = 64
"""Answers of one worker in a transaction: enough for quick items, and the other workers are not kept waiting."""


class LocalEngine:
    """Runs tasks on `workers` processes, and stages that ask for workers of their own on those beside them.

    A shared worker keeps to about one core, so N of them use N cores.
    """

    name = "local"

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._crews: list[Crew] = []

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Outcome], None, None]:
        self._crews = make_crews(stages, self.workers, lambda _: _Seat(stages))
        yield from run_crews(self._crews, next_task, _ready)

    def posts(self) -> list[Post]:
        return posts_of(self._crews)


@dataclass
class _Seat:
    """A place for a worker process."""

    stages: Sequence[Stage[Any]]
    task: Task | None = None
    step: Step | None = None
    node: str = field(default_factory=this_node)
    here: bool = True

    def __post_init__(self) -> None:
        self.reseat()

    def reseat(self) -> None:
        """Put a new worker here."""
        self.task = self.step = None
        self.pipe, theirs = START.Pipe()
        self.process = START.Process(target=_work, args=(theirs, self.stages, os.getpid()), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        self.task = task
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(task)  # a worker that died idle is noticed when its answer is waited for

    def take(self) -> list[Outcome] | None:
        """The outcomes that have come, or None if the worker is dead."""
        messages: list[Outcome | Step] = []
        try:
            while not messages or (len(messages) < _MOST_AT_ONCE and self.pipe.poll()):
                messages.append(self.pipe.recv())
        except (EOFError, ConnectionResetError, OSError):
            if not messages:  # with messages, its end is met once more
                self.process.join()
                return None
        return receive(self, messages)

    def cause(self) -> str:
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"with exit code {code}"
        name = signal.Signals(-code).name
        return f"by {name}{' (out of memory? Use fewer --workers)' if name == 'SIGKILL' else ''}"

    def dismiss(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _ready(busy: Sequence[_Seat], seconds: float) -> list[_Seat]:
    waiting: Any = [seat.pipe for seat in busy]
    ready = wait_for(waiting, seconds)
    return [seat for seat in busy if seat.pipe in ready]


def _work(pipe: Connection, stages: Sequence[Stage[Any]], driver: int) -> None:
    """A worker's life."""
    belong_to(driver)
    worker = Worker(stages)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for message in worker.do(pipe.recv()):
                pipe.send(message)


def belong_to(driver: int) -> None:
    """Make this process the driver's: Ctrl-C is the driver's to handle, and when the driver is killed, the kernel ends
    this one, so that a new build finds no strays."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != driver:
        os._exit(1)
