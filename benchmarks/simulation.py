"""A build on a cluster, simulated: the real rule of who does what next, over made-up recordings.

What is simulated is the driver, which is one thread: it hands out loaded tasks, waits, commits what came,
and while it does one thing nobody else gets anything from it. The rule is the build's own (aramega/pipeline/plan.py):
a free worker gets the item furthest along that its crew may work for, and a batch that is not full only once no
earlier stage is about to make more. What is left out: a network, disks that slow down, workers that die.

Recordings have lengths; their passages are counted and not told apart, so a million hours fit in memory.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Work:
    """A stage, by what it costs. Its items become ready when the stage before it has done them."""

    name: str
    seconds_an_hour: float = 0.0
    """Of a worker, for an hour of recording; for a stage over passages, its passages' together."""
    driver: float = 0.0
    """Seconds the driver takes for one item: to load it, hand it out and commit what comes of it."""
    batch: int = 1
    of_passages: bool = False
    crew: str = ""
    """The workers that do it; empty: those shared by all stages without workers of their own."""


@dataclass
class Run:
    """What came of a simulated build. Times are seconds; `busy` is by stage, summed over workers."""

    wall: float = 0.0
    driver: float = 0.0
    busy: dict[str, float] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    tasks: int = 0

    def used(self, works: Sequence[Work], crews: Mapping[str, int]) -> dict[str, float]:
        """How much of its time each crew works, and the driver; the nearest to 1 is what holds the build up."""
        shares = {
            crew: sum(self.busy[w.name] for w in works if w.crew == crew) / (self.wall * size)
            for crew, size in crews.items()
        }
        return {**shares, "driver": self.driver / self.wall}


def simulate(
    hours: Sequence[float],
    works: Sequence[Work],
    crews: Mapping[str, int],
    *,
    passages_an_hour: float = 40.0,
    wake: float = 0.0,
    look: float = 0.0,
) -> Run:
    """Build recordings of so many `hours` with so many workers in each crew. Every time the driver is woken costs it
    `wake` seconds, and `look` more for each worker it was waiting for."""
    driver = _Driver(works, crews, passages_an_hour, deque(hours))
    now = 0.0
    while True:
        now = driver.give_out(now)
        if not driver.under_way:
            break
        now = max(now, driver.under_way[0][0])
        waited_for = len(driver.under_way)
        woken = now
        now += wake + look * waited_for
        while driver.under_way and driver.under_way[0][0] <= woken:
            now += driver.take()
        driver.run.driver += now - woken
    driver.run.wall = now
    return driver.run


class _Driver:
    """What is ready, what is under way, and who is free."""

    def __init__(
        self, works: Sequence[Work], crews: Mapping[str, int], passages_an_hour: float, sources: deque[float]
    ) -> None:
        self.works, self.passages_an_hour = works, passages_an_hour
        self.free = dict(crews)
        self.stages = {crew: [i for i, w in enumerate(works) if w.crew == crew][::-1] for crew in crews}
        self.recordings: list[deque[float]] = [deque() for _ in works]
        self.recordings[0] = sources
        self.passages = [0] * len(works)
        self.busy_at = [0] * len(works)
        self.under_way: list[tuple[float, int, int, Sequence[float], int]] = []
        """Tasks, the first to finish first: when, in which order given, the stage, its recordings, its passages."""
        self.carry = 0.0
        self.run = Run(busy={w.name: 0.0 for w in works}, done={w.name: 0 for w in works})

    def give_out(self, now: float) -> float:
        """Give every free worker something, as far as there is; the time when that is done."""
        for crew in self.free:
            while self.free[crew] and (chosen := self._choose(crew)):
                stage, recordings, passages = chosen
                work = self.works[stage]
                handed = work.driver / 2 * (len(recordings) + passages)
                now += handed
                self.run.driver += handed
                hours = sum(recordings) if recordings else passages / self.passages_an_hour
                took = work.seconds_an_hour * hours
                self.run.busy[work.name] += took
                self.run.tasks += 1
                self.free[crew] -= 1
                self.busy_at[stage] += 1
                heapq.heappush(self.under_way, (now + took, self.run.tasks, stage, recordings, passages))
        return now

    def take(self) -> float:
        """Commit the task that finished first; the seconds that takes."""
        _, _, stage, recordings, passages = heapq.heappop(self.under_way)
        work = self.works[stage]
        items = len(recordings) + passages
        self.free[work.crew] += 1
        self.busy_at[stage] -= 1
        self.run.done[work.name] += items
        if stage + 1 < len(self.works):
            if not self.works[stage + 1].of_passages:
                self.recordings[stage + 1].extend(recordings)
            else:
                self.passages[stage + 1] += passages if work.of_passages else self._passages_of(recordings)
        return work.driver / 2 * items

    def _choose(self, crew: str) -> tuple[int, Sequence[float], int] | None:
        for stage in self.stages[crew]:
            work = self.works[stage]
            ready = self.passages[stage] if work.of_passages else len(self.recordings[stage])
            if not ready or (ready < work.batch and any(self.busy_at[:stage])):
                continue
            number = min(ready, work.batch)
            if work.of_passages:
                self.passages[stage] -= number
                return stage, (), number
            return stage, [self.recordings[stage].popleft() for _ in range(number)], 0
        return None

    def _passages_of(self, recordings: Sequence[float]) -> int:
        """Whole ones; what is left over is the next recording's, so that none is lost in rounding."""
        self.carry += sum(recordings) * self.passages_an_hour
        whole = int(self.carry + 1e-9)
        self.carry -= whole
        return whole
