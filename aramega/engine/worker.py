"""A worker: takes a task, runs its stage, answers with an outcome as soon as an item is done. The same on every engine."""

from __future__ import annotations

import errno
import platform
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

from aramega.display import one_line
from aramega.engine import Outcome, Task
from aramega.records import AramegaError, NotNow
from aramega.stages.base import Stage, Step

LONGEST_ERROR = 2000
"""Characters of an error that are kept; a library's may quote a whole file."""


class Worker:
    """Holds the stages and loads each one's models before its first task."""

    def __init__(self, stages: Sequence[Stage[Any]], node: str = "") -> None:
        self._stages = stages
        self._node = node or this_node()
        self._prepared: set[int] = set()

    def do(self, task: Task) -> Iterator[Outcome | Step]:
        """One outcome per item of the task, in order, each when it is there; never raises for what an item does."""
        stage = self._stages[task.stage]
        try:
            if task.stage not in self._prepared:
                stage.prepare()
                self._prepared.add(task.stage)
        except Exception as error:  # noqa: BLE001
            # What keeps a stage from starting is no fault of its items': they are as they were.
            why = NotNow(explain(error))
            yield from (self._outcome(task.stage, item, why, 0.0) for item in task.ids)
            return
        ids, begun = iter(task.ids), time.perf_counter()
        for answer in stage.run_batch(task.items):
            if isinstance(answer, Step):
                yield answer
                continue
            now = time.perf_counter()
            yield self._outcome(task.stage, next(ids), answer, now - begun)
            begun = now

    def _outcome(self, stage: int, item: str, answer: Sequence[Any] | Exception, took: float) -> Outcome:
        if not isinstance(answer, Exception):
            return Outcome(stage, item, answer, "", "", took, node=self._node)
        ours = isinstance(answer, AramegaError)
        trace = "" if ours else "".join(traceback.format_exception(answer))
        why = explain(answer) or type(answer).__name__
        return Outcome(stage, item, (), why, trace, took, isinstance(answer, NotNow), self._node)


def this_node() -> str:
    """What this machine is called."""
    return platform.node() or "localhost"


def explain(error: BaseException) -> str:
    """One line for a curator."""
    if isinstance(error, AramegaError):
        return one_line(error, LONGEST_ERROR)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space and run again with --retry-failed."
    if isinstance(error, OSError) and error.strerror:
        return one_line(f"{error.strerror.lower()}{f': {error.filename}' if error.filename else ''}.", LONGEST_ERROR)
    if isinstance(error, MemoryError):
        return "out of memory. Use fewer --workers."
    return one_line(f"{type(error).__name__}: {error}", LONGEST_ERROR)
