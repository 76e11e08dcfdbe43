"""The Ray engine: the same worker pools as on one machine, their workers being Ray actors on a cluster.

A worker is an actor that holds the stages and loads a model once; the driver keeps the store and hands
out tasks, so it is the only writer here too. We use Ray's core API and none of its data layer: tasks are
given when a worker is free, which is all the back-pressure there is to have.

Workers find recordings and clips by their paths, so all nodes must see the workspace under one path, or take its
files from an object store.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
from collections.abc import Generator, Iterator, Sequence
from typing import Any, cast

from aramega.config import EngineConfig
from aramega.engine import Answer, NextTask, Task, WorkerStatus
from aramega.engine.pools import WorkerPool, make_pools, receive, run_pools, statuses_of
from aramega.engine.worker import Worker, this_node
from aramega.records import AramegaError
from aramega.stages.base import Stage, Step

_MOST_STILLBORN = 3
_STARTS = 3


def check_ray() -> None:
    """Raise, before anything starts, where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise AramegaError("--engine ray needs Ray: pip install '.[ray]' in aramega's clone.")


class RayEngine:
    """Runs tasks on a cluster's actors; without an address, on a cluster of this machine made for the run."""

    name = "ray"

    def __init__(self, workers: int, options: EngineConfig, address: str | None = None) -> None:
        self.workers, self.options, self.address = workers, options, address
        self._pools: list[WorkerPool] = []

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Answer], None, None]:
        import ray

        ours = not ray.is_initialized()
        if ours:
            self._connect()
        try:
            stages_ref = ray.put(list(stages))
            self._pools = make_pools(
                [_Sized(stage, self.options) for stage in stages],  # type: ignore[misc]  # all a pool asks of a stage
                self.workers,
                lambda names: _RayWorker(stages_ref, self._needs(stages, names)),
            )
            yield from run_pools(self._pools, next_task, _wait)
        finally:
            if ours:
                ray.shutdown()

    def statuses(self) -> list[WorkerStatus]:
        return statuses_of(self._pools)

    def _connect(self) -> None:
        import ray

        try:
            if self.address:
                _knock(self.address)
                ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR)
            else:
                _start_here(self.workers)
        except Exception as error:  # noqa: BLE001  Ray raises bare ones, too, as when a raylet dies at its start
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            if self.address:
                wrong = f"--ray-address {self.address}: no Ray there ({first}). `ray start --head` starts one."
            else:
                wrong = f"--engine ray: no Ray could be started on this machine ({first}) Try again, or --engine local."
            raise AramegaError(wrong) from None

    def _needs(self, stages: Sequence[Stage[Any]], names: frozenset[str]) -> dict[str, float]:
        """What a worker for these stages asks of its node. One with a pool of its own waits on a GPU or a server most
        of the time; it takes no core from those that share, or a small machine would have no room for both."""
        alone = [stage for stage in stages if stage.name in names and stage.workers is not None]
        if not alone:
            return {"num_cpus": 1}
        return {"num_cpus": 0, "num_gpus": self.options.gpus_of(alone[0].name)}


class _Sized:
    """A stage as a pool sees it, with as many workers as the configuration gives it on a cluster."""

    def __init__(self, stage: Stage[Any], options: EngineConfig) -> None:
        self.name = stage.name
        self.workers = None if stage.workers is None else options.actors_of(stage.name) or stage.workers


class _RayWorker:
    """The driver's end of an actor."""

    def __init__(self, stages: Any, needs: dict[str, float]) -> None:
        self.task: Task | None = None
        self.step: Step | None = None
        self._stages, self._needs, self._why = stages, needs, ""
        self._stillborn = 0
        self.restart()

    def restart(self) -> None:
        import ray

        self.task, self.step, self.ready = None, None, False
        self.node = ""  # wherever the cluster has room: its first answer tells
        self.actor = cast(Any, ray.remote(_Actor).options(max_restarts=0, **self._needs).remote(self._stages))
        self.answer = self.actor.come.remote()

    def give(self, task: Task) -> None:
        self.task = task
        self.answer = self.actor.do.options(num_returns="streaming").remote(task)

    def take(self) -> list[Answer] | None:
        import ray

        try:
            messages = self._messages() if self.task else self._arrival()
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None  # a worker raises nothing but that it can't be one
        except StopIteration:  # the error came right behind the last messages, and is noted
            self._give_up()
            return None
        except ray.exceptions.RayError as error:  # the actor, its node, or the node that kept its answer
            self._why = _first_line(error)
            self._give_up()
            return None
        self.ready, self._stillborn = True, 0
        return receive(self, messages)

    def _arrival(self) -> list[Answer | Step]:
        """Note which node the actor has come to, before it may die there of its first item; it sends nothing else."""
        import ray

        self.node = ray.get(self.answer)
        return []

    def _messages(self) -> list[Answer | Step]:
        """What the actor has sent by now; one at least."""
        import ray

        messages = [ray.get(next(self.answer))]
        while len(messages) < len(self.task.ids if self.task else ()) and ray.wait([self.answer], timeout=0)[0]:
            try:
                messages.append(ray.get(next(self.answer)))
            except StopIteration:
                break
            except ray.exceptions.RayTaskError:
                raise
            except ray.exceptions.RayError as error:
                self._why = _first_line(error)
                break
        return messages

    def _give_up(self) -> None:
        """Be rid of what is left of the actor; after three that never came, of the build."""
        self.stop()
        self._stillborn += not self.ready
        if self._stillborn == _MOST_STILLBORN:
            raise AramegaError(
                f"--engine ray: workers do not start ({self._why}). Is the same aramega installed on every node?"
            )

    def cause_of_death(self) -> str:
        return f"which Ray tells as: {self._why}"

    def stop(self) -> None:
        import ray

        ray.kill(self.actor)


class _Actor:
    """A worker on some node."""

    def __init__(self, stages: Sequence[Stage[Any]]) -> None:
        import ray

        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self.workspace = stages[0].workspace  # all stages of a build have the same
        # Two nodes may share a host, so the name alone would not do.
        self.node = f"{this_node()}/{ray.get_runtime_context().get_node_id()[:6]}"
        self.worker = Worker(stages, self.node)

    def come(self) -> str:
        """Be there: on which node."""
        if not self.workspace.is_reachable:
            raise AramegaError(
                f"{this_node()} does not see {self.workspace.root}. Put the workspace on a disk that all nodes see "
                "under one path, or begin it with --files s3://bucket/folder."
            )
        return self.node

    def do(self, task: Task) -> Iterator[Answer | Step]:
        yield from self.worker.do(task)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]


def _start_here(workers: int) -> None:
    """Start a cluster of this machine for the run; again, if it does not come up: Ray gives it half a minute, which on
    a busy machine is too little now and then."""
    import ray

    for again in range(_STARTS):
        try:
            ray.init(
                address="local",  # left to itself, Ray would join any cluster that was started here
                num_cpus=workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception:
            ray.shutdown()
            if again == _STARTS - 1:
                raise
        else:
            return


def _knock(address: str) -> None:
    """Fail at once where nobody listens: Ray itself tries for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "//" not in host:
        socket.create_connection((host, int(port)), timeout=5).close()


def _wait(busy: Sequence[_RayWorker], seconds: float) -> list[_RayWorker]:
    import ray

    done, _ = ray.wait([worker.answer for worker in busy], num_returns=1, timeout=seconds)
    also, _ = ray.wait([worker.answer for worker in busy], num_returns=len(busy), timeout=0)
    return [worker for worker in busy if worker.answer in done or worker.answer in also]
