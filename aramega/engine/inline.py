"""The inline engine: one worker in this very process, for debuggers, and for notebooks that run threads.

A breakpoint in a stage is met, a stage may be written in the notebook itself, and nothing has to be started. What it
gives up: cores beyond one, and the protection of the driver. An item that kills its worker ends the build; run again,
it goes on where it was, and meets the same item.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from copy import copy
from typing import Any

from aramega.engine import Answer, NextTask, WorkerStatus
from aramega.engine.pools import LOOK_EVERY
from aramega.engine.worker import Worker, this_node
from aramega.stages.base import Stage, Step


class InlineEngine:
    """Does each task where it stands."""

    name = "inline"
    workers = 1

    def __init__(self) -> None:
        self._status: WorkerStatus | None = None

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Answer], None, None]:
        worker = Worker([copy(stage) for stage in stages])  # a model that one loads is the worker's, not the pipeline's
        names = frozenset(stage.name for stage in stages)
        look_at = time.monotonic() + LOOK_EVERY
        while task := next_task(names):
            left, step = task.ids, None
            for message in worker.do(task):
                if isinstance(message, Step):
                    step = message
                else:
                    left = left[1:]
                    yield [message]
                self._status = WorkerStatus(this_node(), names, task.stage, left, step)
                if time.monotonic() >= look_at:
                    yield []
                    look_at = time.monotonic() + LOOK_EVERY
            self._status = WorkerStatus(this_node(), names, None, ())

    def statuses(self) -> list[WorkerStatus]:
        return [self._status] if self._status else []
