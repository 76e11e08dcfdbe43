"""A worker: takes a task, runs its stage, and answers as soon as an item is done. The same on every engine."""

from __future__ import annotations

import errno
import platform
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aramega.display import one_line
from aramega.engine import Answer, Divided, Done, Failed, Postponed, Task
from aramega.records import AramegaError, NotNow
from aramega.stages.base import Divisible, JoinTask, Pieces, PieceTask, Stage, Step

LONGEST_ERROR = 2000
"""Characters of an error that are kept; a library's may quote a whole file."""


class Worker:
    """Holds the stages and loads each one's models before its first task."""

    def __init__(self, stages: Sequence[Stage[Any]], node: str = "") -> None:
        self._stages = {stage.name: stage for stage in stages}
        self._node = node or this_node()
        self._prepared: set[str] = set()

    def do(self, task: Task) -> Iterator[Answer | Step]:
        """One answer per item of the task, in order, each when it is there; never raises for what an item does."""
        stage = self._stages[task.stage]
        try:
            if task.stage not in self._prepared:
                stage.prepare()
                self._prepared.add(task.stage)
        except Exception as error:  # noqa: BLE001
            # What keeps a stage from starting is no fault of its items': they are as they were.
            why = NotNow(explain(error))
            yield from (self._answer(task, item, why, 0.0) for item in task.ids)
            return
        ids, begun = iter(task.ids), time.perf_counter()
        for answer in _run(stage, task):
            if isinstance(answer, Step):
                yield answer
                continue
            now = time.perf_counter()
            yield self._answer(task, next(ids), answer, now - begun)
            begun = now

    def _answer(self, task: Task, item: str, answer: Sequence[Any] | Pieces | Exception, took: float) -> Answer:
        if isinstance(answer, Pieces):
            return Divided(task.stage, item, answer.pieces, took, self._node)
        if not isinstance(answer, Exception):
            return Done(task.stage, item, answer, took, self._node, task.piece)
        error = explain(answer) or type(answer).__name__
        if isinstance(answer, NotNow):
            return Postponed(task.stage, item, error, took, self._node, task.piece)
        trace = "" if isinstance(answer, AramegaError) else "".join(traceback.format_exception(answer))
        return Failed(task.stage, item, error, trace, took, self._node, task.piece)


def _run(stage: Stage[Any], task: Task) -> Iterable[Sequence[Any] | Pieces | Exception | Step]:
    if isinstance(stage, Divisible):
        return (_run_divisible(stage, item, task.workers) for item in task.items)
    return stage.run_batch(task.items)


def _run_divisible(stage: Divisible[Any], item: Any, workers: int) -> Sequence[Any] | Pieces | Exception:
    try:
        if isinstance(item, PieceTask):
            return stage.run_piece(item.whole, item.piece)
        if isinstance(item, JoinTask):
            return stage.join(item.whole, item.answers)
        return stage.divide(item, workers)
    except Exception as error:  # noqa: BLE001  whatever one item does, the next gets its turn
        return error


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
