"""Crews: workers that share the same stages, whatever they are made of.

Every engine has one crew for all stages that share the cores and one for each stage that asks for workers
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
from dataclasses import dataclass, field
from typing import Any, Protocol

from aramega.engine import NextTask, Outcome, Post, Task
from aramega.stages.base import Stage, Step


class Seat(Protocol):
    """A place for a worker: the one that sits there now, and what it is doing."""

    task: Task | None
    """What it has not answered yet."""
    step: Step | None
    node: str
    here: bool
    """Whether the worker has come."""

    def give(self, task: Task) -> None:
        """Have the worker begin."""

    def take(self) -> list[Outcome] | None:
        """The outcomes that are there, none if it has just come or only told a step, or None if the worker is dead."""

    def cause(self) -> str:
        """Why its worker died, in a line."""

    def reseat(self) -> None:
        """Put a new worker here."""

    def dismiss(self) -> None:
        """The worker is not needed any more; it holds nothing that is not either committed or to be done again."""


Hire = Callable[[frozenset[int]], Seat]
"""Makes a seat with a worker for these stages, by position."""
Wait = Callable[[Sequence[Any], float], Sequence[Any]]
"""Blocks until some of these seats have something to take, or so many seconds are over, and says which."""

LOOK_EVERY = 1.0
"""Seconds between the empty batches that let a watcher look."""


def run_crews(crews: Sequence[Crew], next_task: NextTask, wait: Wait) -> Generator[list[Outcome], None, None]:
    """Keep every worker busy until nothing is left; yield outcomes as they come, and an empty batch now and then."""
    suspects: set[tuple[int, str]] = set()
    look_at = time.monotonic() + LOOK_EVERY
    try:
        while True:
            for crew in crews:
                crew.give_out(next_task)
            awaited = {id(seat): crew for crew in crews for seat in crew.awaited()}
            if not awaited:
                return
            if time.monotonic() >= look_at:
                yield []
                look_at = time.monotonic() + LOOK_EVERY
            finished: list[Outcome] = []  # none of it is kept past its yield: ten hours of segments weigh
            for seat in wait([seat for crew in crews for seat in crew.awaited()], max(0.0, look_at - time.monotonic())):
                outcomes = seat.take()
                if outcomes is None:
                    failed, retry = autopsy(seat, suspects)
                    finished += failed
                    awaited[id(seat)].again.extend(retry)
                    seat.reseat()
                elif outcomes:
                    seat.node = outcomes[0].node
                    finished += outcomes
            if finished:
                yield finished
            finished = outcomes = failed = []
    finally:
        for crew in crews:
            for seat in crew.seats:
                seat.dismiss()


def posts_of(crews: Sequence[Crew]) -> list[Post]:
    """Everybody who has come."""
    return [_post(seat, crew.positions) for crew in crews for seat in crew.seats if seat.here]


def _post(seat: Seat, positions: frozenset[int]) -> Post:
    if not seat.task:
        return Post(seat.node, positions, None, ())
    return Post(seat.node, positions, seat.task.stage, seat.task.ids, seat.step)


def make_crews(stages: Sequence[Stage[Any]], shared: int, hire: Hire) -> list[Crew]:
    """One for all stages that share, and one for each that does not."""
    together = frozenset(i for i, stage in enumerate(stages) if stage.workers is None)
    own = [(frozenset({i}), stage.workers) for i, stage in enumerate(stages) if stage.workers is not None]
    return [Crew(positions, room, hire) for positions, room in [(together, shared), *own]]


@dataclass
class Crew:
    """Up to `room` workers for some of the stages; they are hired when there is something to do."""

    positions: frozenset[int]
    room: int
    hire: Hire
    seats: list[Seat] = field(default_factory=list)
    again: deque[Task] = field(default_factory=deque)
    """What a dead worker left undone, and a task for each who is on the way: the first who is free takes it."""

    def give_out(self, next_task: NextTask) -> None:
        """Give every free worker something to do, and hire while there is more to do than workers on their way."""
        free = [seat for seat in self.seats if seat.here and not seat.task]
        while free:
            task = self.again.popleft() if self.again else next_task(self.positions)
            if not task:
                return
            free.pop().give(task)
        while (coming := self._coming()) > len(self.again) or len(self.seats) < self.room:
            if len(self.again) <= coming:
                task = next_task(self.positions)
                if not task:
                    return
                self.again.append(task)
            if len(self.again) > coming:
                self.seats.append(self.hire(self.positions))
                if self.seats[-1].here:
                    self.seats[-1].give(self.again.popleft())

    def _coming(self) -> int:
        return sum(not seat.here for seat in self.seats)

    def awaited(self) -> list[Seat]:
        """Who is at work, and, as long as something waits for them, those who are on their way."""
        return [seat for seat in self.seats if seat.task or (self.again and not seat.here)]


def receive(seat: Seat, messages: Sequence[Outcome | Step]) -> list[Outcome]:
    """Note what a worker has sent; its outcomes."""
    outcomes = [message for message in messages if isinstance(message, Outcome)]
    if seat.task:
        seat.task = seat.task.without({outcome.item for outcome in outcomes})
    steps = [message for message in messages if isinstance(message, Step)]
    seat.step = None if seat.task is None else steps[-1] if steps else seat.step
    return outcomes


def autopsy(seat: Seat, suspects: set[tuple[int, str]]) -> tuple[list[Outcome], list[Task]]:
    """What to make of a dead worker's items: a second chance each, one by one; no third."""
    if not seat.task:
        return [], []  # it died on its way
    failed, retry = [], []
    for number, item in zip(seat.task.ids, seat.task.items, strict=True):
        key = (seat.task.stage, number)
        if key in suspects:
            failed.append(Outcome(*key, (), f"its worker died twice, {seat.cause()}.", "", 0.0, node=seat.node))
        else:
            suspects.add(key)
            retry.append(Task(seat.task.stage, (number,), (item,)))
    return failed, retry
