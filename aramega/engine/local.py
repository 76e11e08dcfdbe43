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
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

from aramega.engine import NextTask, Outcome, Task
from aramega.engine.crews import run_crews
from aramega.engine.worker import Worker
from aramega.stages.base import Stage

# Forking takes milliseconds and shares what is imported; the driver has one thread, so it is safe there.
_START: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


class LocalEngine:
    """Runs tasks on `workers` processes, and stages that ask for workers of their own on those beside them.

    A shared worker keeps to about one core, so N of them use N cores.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Outcome], None, None]:
        yield from run_crews(stages, next_task, shared=self.workers, hire=lambda _: _Seat(stages), wait=_ready)


@dataclass
class _Seat:
    """A place for a worker process."""

    stages: Sequence[Stage[Any]]
    task: Task | None = None

    def __post_init__(self) -> None:
        self.reseat()

    def reseat(self) -> None:
        """Put a new worker here."""
        self.task = None
        self.pipe, theirs = _START.Pipe()
        self.process = _START.Process(target=_work, args=(theirs, self.stages, os.getpid()), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, task: Task) -> None:
        self.task = task
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(task)  # a worker that died idle is noticed when its answer is waited for

    def take(self) -> list[Outcome] | None:
        """The outcomes of its task, or None if the worker is dead."""
        try:
            outcomes: list[Outcome] = self.pipe.recv()
        except (EOFError, ConnectionResetError, OSError):
            self.process.join()
            return None
        self.task = None
        return outcomes

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


def _ready(busy: Sequence[_Seat]) -> list[_Seat]:
    waiting: Any = [seat.pipe for seat in busy]
    ready = wait_for(waiting)
    return [seat for seat in busy if seat.pipe in ready]


def _work(pipe: Connection, stages: Sequence[Stage[Any]], driver: int) -> None:
    """A worker's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with(driver)
    worker = Worker(stages)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            pipe.send(worker.do(pipe.recv()))


def _die_with(driver: int) -> None:
    """Have the kernel end this worker when its driver is killed, so that a new build finds no strays."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != driver:
        os._exit(1)
