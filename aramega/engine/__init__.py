"""Engines: run stages over tasks, wherever there are workers. An engine knows no stage by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aramega.stages.base import Stage


@dataclass(frozen=True)
class Task:
    """Items for one stage, loaded and ready to travel to a worker."""

    stage: int
    """Which of the engine's stages, by position."""
    ids: tuple[str, ...]
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of one item: its records, or why there are none."""

    stage: int
    item: str
    records: Sequence[Any]
    error: str
    trace: str
    took: float
    postponed: bool = False
    """Left for a later run, and the error says why; its stage gets no more to do in this one."""


NextTask = Callable[[Collection[int]], Task | None]
"""Asked whenever a worker is free, with the stages it may work for, by position; None means nothing to do until
something under way has finished."""


class Engine(Protocol):
    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as they come, in batches that belong in one transaction, until nothing is left."""
        ...
