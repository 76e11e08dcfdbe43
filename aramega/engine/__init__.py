"""Engines: run stages over tasks, wherever there are workers. An engine knows no stage by name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aramega.stages.base import Stage, Step


@dataclass(frozen=True)
class Task:
    """Items for one stage, loaded and ready to travel to a worker."""

    stage: int
    """Which of the engine's stages, by position."""
    ids: tuple[str, ...]
    items: tuple[Any, ...]

    def without(self, answered: Collection[str]) -> Task | None:
        """What is left of it; None where all is answered."""
        left = [(name, item) for name, item in zip(self.ids, self.items, strict=True) if name not in answered]
        return Task(self.stage, *zip(*left, strict=True)) if left else None


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
    node: str = ""
    """The machine it was done on."""


@dataclass(frozen=True)
class Post:
    """A worker as others see it: where it is, and what it does."""

    node: str
    """Empty for one that has not answered yet, wherever it is."""
    stages: frozenset[int]
    """Those it may work for, by position."""
    at: int | None
    """The one it works for now; None for an idle worker."""
    items: tuple[str, ...]
    """What it has been given for that and has not answered yet, by id: items, or pieces of one."""
    step: Step | None = None
    """How far it is with them, where its stage tells."""


NextTask = Callable[[Collection[int]], Task | None]
"""Asked whenever a worker is free, with the stages it may work for, by position; None means nothing to do until
something under way has finished."""


class Engine(Protocol):
    name: str
    workers: int
    """How many share the cores."""

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as they come, in batches that belong in one transaction, until nothing is left. About once a
        second, when everybody has been given what there is, an empty batch: a good moment to look around."""
        ...

    def posts(self) -> list[Post]:
        """The workers there are now."""
        ...
