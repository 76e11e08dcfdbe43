"""The local engine: N worker processes on this machine, one task each at a time.

We keep our own small pool rather than concurrent.futures' because an item may kill its worker (a
decoder's crash, the kernel's out-of-memory killer) and that must cost the item, not the build: the dead
worker is replaced, its items are tried once more one by one, and an item that kills a second worker is
recorded as failed.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from aramega.engine import NextTask, Outcome, Task
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
        crews = self._crews(stages)
        suspects: set[tuple[int, str]] = set()
        try:
            while True:
                for crew in crews:
                    crew.give_out(next_task)
                busy = [(crew, seat) for crew in crews for seat in crew.busy()]
                if not busy:
                    return
                finished: list[Outcome] = []  # none of it is kept past its yield: ten hours of segments weigh
                for crew, seat in _ready(busy):
                    outcomes = seat.take()
                    if outcomes is None:
                        failed, retry = _autopsy(seat, suspects)
                        finished += failed
                        crew.again.extend(retry)
                        seat.reseat()
                    else:
                        finished += outcomes
                if finished:
                    yield finished
                finished = outcomes = failed = []
        finally:
            for crew in crews:
                crew.dismiss()

    def _crews(self, stages: Sequence[Stage[Any]]) -> list[_Crew]:
        """One for all stages that share, and one for each that does not."""
        shared = frozenset(i for i, stage in enumerate(stages) if stage.workers is None)
        own = [(frozenset({i}), stage.workers) for i, stage in enumerate(stages) if stage.workers is not None]
        return [_Crew(stages, positions, room) for positions, room in [(shared, self.workers), *own]]


@dataclass
class _Crew:
    """Up to `room` workers for some of the stages; they are hired when there is something to do."""

    stages: Sequence[Stage[Any]]
    positions: frozenset[int]
    room: int
    seats: list[_Seat] = field(default_factory=list)
    again: deque[Task] = field(default_factory=deque)
    """What a dead worker left undone."""

    def give_out(self, next_task: NextTask) -> None:
        """Give every free worker something to do, as far as there is."""
        free = [seat for seat in self.seats if not seat.task]
        while free or len(self.seats) < self.room:
            task = self.again.popleft() if self.again else next_task(self.positions)
            if not task:
                return
            if not free:
                self.seats.append(_Seat(self.stages))
                free = self.seats[-1:]
            free.pop().give(task)

    def busy(self) -> list[_Seat]:
        return [seat for seat in self.seats if seat.task]

    def dismiss(self) -> None:
        for seat in self.seats:
            seat.dismiss()


@dataclass
class _Seat:
    """A place for a worker: the process that sits there now, and what it is doing."""

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

    def dismiss(self) -> None:
        self.process.kill()  # a worker holds nothing that is not either committed or to be done again
        self.process.join()
        self.pipe.close()


def _ready(busy: Sequence[tuple[_Crew, _Seat]]) -> list[tuple[_Crew, _Seat]]:
    waiting: Any = [seat.pipe for _, seat in busy]
    ready = wait(waiting)
    return [(crew, seat) for crew, seat in busy if seat.pipe in ready]


def _autopsy(seat: _Seat, suspects: set[tuple[int, str]]) -> tuple[list[Outcome], list[Task]]:
    """What to make of a dead worker's items: a second chance each, one by one; no third."""
    assert seat.task
    failed, retry = [], []
    for number, item in zip(seat.task.ids, seat.task.items, strict=True):
        key = (seat.task.stage, number)
        if key in suspects:
            failed.append(Outcome(*key, (), _cause(seat.process.exitcode), "", 0.0))
        else:
            suspects.add(key)
            retry.append(Task(seat.task.stage, (number,), (item,)))
    return failed, retry


def _cause(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = " (out of memory? Use fewer --workers)" if name == "SIGKILL" else ""
        return f"its worker died twice, by {name}{hint}."
    return f"its worker died twice, with exit code {exitcode}."


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
