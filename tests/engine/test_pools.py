"""Worker pools: who is given what, on paper: the workers here are as many as are there, and die when told to."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from aramega.engine import Answer, Done, Failed, Task
from aramega.engine.pools import WorkerPool, run_pools
from aramega.stages.base import Step


@dataclass
class Cluster:
    """As many workers as have come find room; of the tasks that are done, every so many kill their worker."""

    room: int
    deaths: set[int] = field(default_factory=set)
    come: int = 0
    done: int = 0


@dataclass
class Clerk:
    """A worker on paper."""

    cluster: Cluster
    task: Task | None = None
    step: Step | None = None
    node: str = ""
    ready: bool = False

    def give(self, task: Task) -> None:
        assert self.ready, "a task for somebody who is not there"
        self.task = task

    def take(self) -> list[Answer] | None:
        if not self.ready:
            self.ready, self.cluster.come = True, self.cluster.come + 1
            return []
        assert self.task
        self.cluster.done += 1
        if self.cluster.done in self.cluster.deaths:
            return None
        task, self.task = self.task, None
        return [Done(task.stage, item, (int(item),)) for item in task.ids]

    def cause_of_death(self) -> str:
        return "by fate"

    def restart(self) -> None:
        self.cluster.come -= self.ready
        self.task, self.ready = None, False

    def stop(self) -> None:
        pass


def wait(workers: Sequence[Clerk], _: float) -> list[Clerk]:
    """Who is at work has an answer; who is not here comes if there is room."""
    ready = [worker for worker in workers if worker.ready]
    coming = [worker for worker in workers if not worker.ready]
    coming = coming[: workers[0].cluster.room - workers[0].cluster.come]
    assert ready or coming, "everybody waits for somebody who never comes"
    return ready or coming


def run(numbers: int, hired: int, cluster: Cluster) -> list[Answer]:
    left = deque(range(numbers))

    def next_task(_: Collection[str]) -> Task | None:
        taken = [left.popleft() for _ in range(min(2, len(left)))]
        return Task("number", tuple(map(str, taken)), tuple(taken)) if taken else None

    pool = WorkerPool(frozenset({"number"}), hired, lambda _: Clerk(cluster))
    return [o for found in run_pools([pool], next_task, wait) for o in found]


@given(
    numbers=st.integers(0, 20),
    hired=st.integers(1, 6),
    room=st.integers(1, 6),
    deaths=st.sets(st.integers(1, 30), max_size=6),
)
def test_everything_is_answered_once_however_few_workers_come_and_however_many_die(
    numbers: int, hired: int, room: int, deaths: set[int]
) -> None:
    answers = run(numbers, hired, Cluster(room, deaths))
    assert sorted(int(o.item) for o in answers) == list(range(numbers))
    assert all("died twice" in o.error if isinstance(o, Failed) else isinstance(o, Done) for o in answers)


def test_nobody_is_hired_where_there_is_nothing_to_do_and_no_more_than_there_is() -> None:
    for numbers, expected in ((0, 0), (2, 1), (3, 2)):
        hired: list[Clerk] = []
        cluster = Cluster(room=9)

        def hire(_: frozenset[str], cluster: Cluster = cluster, hired: list[Clerk] = hired) -> Clerk:
            hired.append(Clerk(cluster))
            return hired[-1]

        left = deque([tuple(range(i, min(i + 2, numbers))) for i in range(0, numbers, 2)])
        pool = WorkerPool(frozenset({"number"}), 9, hire)
        tasks = lambda _, left=left: Task("number", tuple(map(str, t)), t) if left and (t := left.popleft()) else None  # noqa: E731
        list(run_pools([pool], tasks, wait))
        assert len(hired) == expected
