"""Builds on a rehearsed engine: the clock runs only while the work itself is done.

Before it starts, each worker does a small build of its own in a folder of its own, so that processes and
actors are there, what they import is imported, and models are loaded. Then come the real tasks, and the
clock stops at the last commit, before workers are dismissed. Beside the time, a run tells what its parts
cost: the seconds each stage took in its workers, the driver's own (handing out, committing), and the CPU
time of every process below this one, from which one sees how many cores a run really had.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aramega.config import Config, Options
from aramega.engine import Answer, Done, Engine, NextTask, Task
from aramega.engine.inline import InlineEngine
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.records import Source
from aramega.sources import find_sources
from aramega.stages.base import Stage, Takes
from aramega.store import Store
from aramega.workspace import WorkspaceFolder

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a run, so that a worker is a core on every engine."""


@dataclass
class Times:
    """What a build took, once its workers had rehearsed; all in seconds."""

    whole: float = 0.0
    driver: float = 0.0
    """Of them, not waiting for workers: loading what is handed out, and committing what came."""
    driver_cpu: float = 0.0
    """CPU time of that."""
    engine: float = 0.0
    """CPU time of the driver's thread beside it: sending tasks, receiving answers, waiting."""
    cpu: float = 0.0
    """CPU time of this process and all below it, meanwhile."""
    stages: dict[str, float] = field(default_factory=Counter)
    """In workers, by stage."""
    items: dict[str, int] = field(default_factory=Counter)
    drivers: dict[str, float] = field(default_factory=Counter)
    """The driver's seconds, by the stage they were spent on."""

    def told(self) -> dict[str, Any]:
        return dict(vars(self))


def timed_build(archive: Path, root: Path, config: Config, engine: Engine, sample: Path) -> Times:
    """Build `archive` into `root`; every worker first builds `sample`."""
    place, rehearsed = WorkspaceFolder(root), Rehearsed(engine, config, sample)
    _build([str(archive)], place, config, rehearsed)
    return rehearsed.times


def _build(named: Sequence[str], place: WorkspaceFolder, config: Config, engine: Engine) -> None:
    pipeline = Pipeline.from_config(config, place)
    with building(place), Store.create_or_open(place) as store:
        add_sources(store, pipeline, named, find_sources(named, config.ingest.extensions))
        for _ in run_build(store, pipeline, engine):
            pass


class Rehearsed:
    """An engine that starts the clock when every worker of the one inside has rehearsed."""

    def __init__(self, inner: Engine, config: Config, sample: Path) -> None:
        self.inner, self.config, self.sample, self.times = inner, config, sample, Times()

    def __getattr__(self, name: str) -> Any:
        """What a build asks of its engine beside running."""
        return getattr(self.inner, name)

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Answer], None, None]:
        everybody = self.inner.workers + sum(stage.workers or 0 for stage in stages)
        asked = done = 0
        working = False

        def ask(allowed: Collection[str]) -> Task | None:
            """A rehearsal for each worker, then nothing until all have done theirs."""
            nonlocal asked, theirs
            if working:
                began, at = time.perf_counter(), time.thread_time()
                task = next_task(frozenset(allowed) - {_Rehearsal.name})
                theirs += time.thread_time() - at
                spent = time.perf_counter() - began
                self.times.driver += spent
                if task:
                    self.times.drivers[task.stage] += spent
                return task
            if asked == everybody:
                return None
            asked += 1
            return Task(_Rehearsal.name, (str(asked),), (str(self.sample),))

        start = cpu = theirs = own = 0.0
        first = _Rehearsal(self.config, everybody)
        for answers in self.inner.run([*stages, first], ask):
            if not working:
                done += len(answers)
                failed = [answer for answer in answers if not isinstance(answer, Done)]
                if failed:
                    raise RuntimeError(str(failed[0]))
                working = done == everybody
                if working:
                    shutil.rmtree(first.workspace.root)
                start, cpu, own = time.perf_counter(), cpu_seconds(), time.thread_time()
                continue
            if not answers:
                yield answers
                continue
            for answer in answers:
                self.times.stages[answer.stage] += answer.took
                self.times.items[answer.stage] += 1
            began, at = time.perf_counter(), time.thread_time()
            yield answers
            now = time.perf_counter()
            theirs += time.thread_time() - at
            self.times.driver += now - began
            for answer in answers:
                self.times.drivers[answer.stage] += (now - began) / len(answers)
            self.times.whole = now - start
            self.times.cpu = cpu_seconds() - cpu
            self.times.driver_cpu = theirs
            self.times.engine = time.thread_time() - own - theirs


class _Rehearsal(Stage[str]):
    """A small build inside one worker, who then waits for all the others, so that nobody rehearses in their place."""

    name, version, takes, makes = "rehearsal", 1, Takes.SOURCE, (Source,)

    def __init__(self, config: Config, everybody: int) -> None:
        super().__init__(Options(), WorkspaceFolder(Path(tempfile.mkdtemp(prefix="rehearsal-"))))
        self.config, self.everybody = config, everybody

    def run(self, item: str) -> Sequence[Any]:
        mine = Path(tempfile.mkdtemp(dir=self.workspace.root))
        _build([item], WorkspaceFolder(mine), self.config, InlineEngine())
        mine.rename(mine.with_suffix(".done"))
        give_up = time.monotonic() + 300
        while len(list(self.workspace.root.glob("*.done"))) < self.everybody:
            if time.monotonic() > give_up:
                raise TimeoutError(f"not all of {self.everybody} workers have come.")
            time.sleep(0.02)
        return []


def cpu_seconds() -> float:
    """Of this process and all that descend from it, the ended ones too where their parents waited for them."""
    below: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for pid, parent, ticks in _processes():
        below.setdefault(parent, []).append(pid)
        spent[pid] = ticks / os.sysconf("SC_CLK_TCK")
    left, total = [os.getpid()], 0.0
    while left:
        pid = left.pop()
        total += spent.get(pid, 0.0)
        left += below.get(pid, [])
    return total


def _processes() -> Iterator[tuple[int, int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        yield int(path.parent.name), int(fields[1]), sum(map(int, fields[11:15]))
