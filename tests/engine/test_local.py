"""The local engine: every item is answered for, whatever it does to its worker."""

from __future__ import annotations

import os
import platform
import signal
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from aramega.config import Options
from aramega.engine import Answer, Done, Postponed, Task, WorkerStatus
from aramega.engine.local import LocalEngine
from aramega.records import AramegaError, NotNow
from aramega.stages.base import Stage, Step, Takes
from aramega.workspace import WorkspaceFolder


class Square(Stage[int]):
    """Gives a number's square; dies, raises or kills its worker when told to."""

    name, version, takes, makes = "square", 1, Takes.SOURCE, (int,)
    batch_size = 4

    def run(self, item: int) -> Sequence[int]:
        if item == 13:
            raise AramegaError("thirteen\nis unlucky.")
        if item == 14:
            raise ValueError("no")
        if item == 66:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == 77 and not (self.workspace.root / "died").exists():
            (self.workspace.root / "died").touch()
            os._exit(7)
        return [item * item]


def run(items: Sequence[int], folder: Path, *, workers: int, batch: int = 4) -> dict[str, Answer]:
    queue = deque(items)

    def next_task(_: Collection[str]) -> Task | None:
        taken = [queue.popleft() for _ in range(min(batch, len(queue)))]
        return Task("square", tuple(map(str, taken)), tuple(taken)) if taken else None

    stages: list[Stage[Any]] = [Square(Options(), WorkspaceFolder(folder))]
    outcomes = [o for found in LocalEngine(workers).run(stages, next_task) for o in found]
    assert len(outcomes) == len(items), "each item once"
    return {o.item: o for o in outcomes}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_item_is_answered_once(tmp_path: Path, workers: int) -> None:
    found = run(range(12), tmp_path, workers=workers)
    assert {int(k): v.records[0] for k, v in found.items()} == {i: i * i for i in range(12)}


def test_an_error_is_one_line_and_only_a_bug_keeps_its_trace(tmp_path: Path) -> None:
    found = run([12, 13, 14], tmp_path, workers=1)
    assert (found["13"].error, found["13"].trace) == ("thirteen is unlucky.", "")
    assert found["14"].error == "ValueError: no"
    assert "Traceback" in found["14"].trace
    assert isinstance(found["12"], Done)


def test_an_item_that_kills_its_worker_twice_fails_and_the_rest_of_its_batch_does_not(tmp_path: Path) -> None:
    found = run([1, 2, 66, 3, 4, 5], tmp_path, workers=2)
    assert "its worker died twice, by SIGKILL" in found["66"].error
    assert [k for k, v in found.items() if not isinstance(v, Done)] == ["66"]


def test_an_item_whose_worker_died_once_gets_a_second_chance(tmp_path: Path) -> None:
    assert isinstance(run([76, 77, 78], tmp_path, workers=1)["77"], Done)


class Cube(Square):
    """Has a worker of its own, which is the only one that is ever prepared for it."""

    name, workers, batch_size = "cube", 1, 1

    def prepare(self) -> None:
        (self.workspace.root / f"prepared {os.getpid()}").touch()

    def run(self, item: int) -> Sequence[int]:
        if item == 5:
            raise NotNow("the budget is spent.")
        return [item**3]


def test_a_stage_with_a_worker_of_its_own_loads_its_model_once(tmp_path: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    stages: list[Stage[Any]] = [Square(Options(), place), Cube(Options(), place)]
    queues = {"square": deque(range(10)), "cube": deque(range(10))}
    asked: set[frozenset[str]] = set()

    def next_task(allowed: Collection[str]) -> Task | None:
        asked.add(frozenset(allowed))
        for stage in allowed:
            if queues[stage]:
                number = queues[stage].popleft()
                return Task(stage, (str(number),), (number,))
        return None

    outcomes = [o for found in LocalEngine(2).run(stages, next_task) for o in found]
    assert asked == {frozenset({"square"}), frozenset({"cube"})}
    assert {int(o.item): o.records[0] for o in outcomes if o.stage == "cube" and isinstance(o, Done)} == {
        i: i**3 for i in range(10) if i != 5
    }
    assert len(list(tmp_path.glob("prepared *"))) == 1
    assert [o.item for o in outcomes if isinstance(o, Postponed)] == ["5"]


class Unready(Square):
    """Cannot load its model."""

    name = "unready"

    def prepare(self) -> None:
        raise AramegaError("weights.pt: cannot be read.")


def test_a_stage_that_cannot_start_leaves_its_items_as_they_were(tmp_path: Path) -> None:
    stages: list[Stage[Any]] = [Unready(Options(), WorkspaceFolder(tmp_path))]
    tasks = iter([Task("unready", ("1", "2"), (1, 2))])
    outcomes = [o for found in LocalEngine(1).run(stages, lambda _: next(tasks, None)) for o in found]
    assert [(type(o), o.error) for o in outcomes] == [(Postponed, "weights.pt: cannot be read.")] * 2


class Patient(Square):
    """Waits until somebody says that it may go on."""

    name = "patient"

    def run(self, item: int) -> Sequence[int]:
        while not (self.workspace.root / "go on").exists():
            time.sleep(0.01)
        return [item]


def test_while_a_long_item_is_waited_for_there_are_moments_to_look_at_who_does_what(tmp_path: Path) -> None:
    place, engine = WorkspaceFolder(tmp_path), LocalEngine(2)
    stages: list[Stage[Any]] = [Square(Options(), place), Patient(Options(), place), Cube(Options(), place)]
    tasks = deque([Task("patient", ("1",), (1,)), Task("square", ("2",), (2,)), Task("cube", ("3",), (3,))])

    outcomes: list[Answer] = []

    def next_task(allowed: Collection[str]) -> Task | None:
        if len(tasks) == 1 and not outcomes:
            return None  # the cube waits for the square: of two at once, either may be the first
        return tasks.popleft() if tasks and tasks[0].stage in allowed else None

    for found in engine.run(stages, next_task):
        outcomes += found
        if not found and len(outcomes) == 2:
            both, here = frozenset({"square", "patient"}), platform.node()
            busy, idle, alone = (
                WorkerStatus(here, both, "patient", ("1",)),
                WorkerStatus(here, both, None, ()),
                WorkerStatus(here, frozenset({"cube"}), None, ()),
            )
            assert engine.statuses() == [busy, idle, alone]
            (tmp_path / "go on").touch()
    assert [(o.item, o.node) for o in outcomes] == [(item, platform.node()) for item in ("2", "3", "1")]


class Stepwise(Square):
    """Answers its first item, tells how far it is, and waits for a word before the others."""

    name = "stepwise"

    def run_batch(self, items: Sequence[int]) -> Iterator[Sequence[int] | Step]:
        yield [items[0]]
        yield Step(1, len(items), "windows")
        (self.workspace.root / "go on").read_text()
        yield from ([item] for item in items[1:])


def test_an_answer_and_how_far_the_worker_is_are_there_before_its_batch_is_done(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go on")
    stages: list[Stage[Any]] = [Stepwise(Options(), WorkspaceFolder(tmp_path))]
    tasks = iter([Task("stepwise", ("1", "2", "3"), (1, 2, 3))])
    engine, outcomes, seen = LocalEngine(1), list[Answer](), list[WorkerStatus]()
    for found in engine.run(stages, lambda _: next(tasks, None)):
        outcomes += found
        if not seen and engine.statuses()[0].step:
            seen = engine.statuses()
            assert [o.item for o in outcomes] == ["1"]
            (tmp_path / "go on").write_text("")
    assert [(status.items, status.step) for status in seen] == [(("2", "3"), Step(1, 3, "windows"))]
    assert [o.item for o in outcomes] == ["1", "2", "3"]
    assert engine.statuses()[0].step is None


class Noted(Square):
    """Notes each time it is run."""

    name = "noted"

    def run(self, item: int) -> Sequence[int]:
        with (self.workspace.root / "runs").open("a") as runs:
            print(item, file=runs)
        return super().run(item)


def test_what_a_dead_worker_had_answered_is_not_done_again(tmp_path: Path) -> None:
    stages: list[Stage[Any]] = [Noted(Options(), WorkspaceFolder(tmp_path))]
    tasks = iter([Task("noted", ("1", "2", "77", "3"), (1, 2, 77, 3))])
    outcomes = [o for found in LocalEngine(1).run(stages, lambda _: next(tasks, None)) for o in found]
    assert sorted((o.item, type(o)) for o in outcomes) == [("1", Done), ("2", Done), ("3", Done), ("77", Done)]
    assert (tmp_path / "runs").read_text().split() == ["1", "2", "77", "77", "3"]


def test_nothing_to_do_starts_no_worker(tmp_path: Path) -> None:
    assert run([], tmp_path, workers=4) == {}


def test_workers_are_gone_when_the_driver_stops_early(tmp_path: Path) -> None:
    stages: list[Stage[Any]] = [Square(Options(), WorkspaceFolder(tmp_path))]
    numbers = iter(range(1000))

    def next_task(_: Collection[str]) -> Task:
        number = next(numbers)
        return Task("square", (str(number),), (number,))

    before = _children()
    batches = LocalEngine(2).run(stages, next_task)
    next(batches)
    children = _children() - before
    assert len(children) >= 2
    batches.close()
    assert not _children() & children


def _children() -> set[str]:
    tasks = Path(f"/proc/{os.getpid()}/task")
    if not tasks.exists():
        pytest.skip("needs /proc to see child processes")
    return {pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()}
