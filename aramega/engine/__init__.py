"""Engines: run stages over tasks, wherever there are workers. An engine knows no stage by name.

A plan gives out tasks and takes results; what lies between them is an engine's:

    Task  →  worker: stage.run_batch  →  Done | Failed | Postponed, one an item; Divided for an item that several share
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from aramega.stages.base import Stage, Step


@dataclass(frozen=True)
class Task:
    """Items for one stage, loaded and ready to travel to a worker."""

    stage: str
    ids: tuple[str, ...]
    items: tuple[Any, ...]
    workers: int = 1
    """How many there are to share an item, for a stage that can divide one."""
    piece: int | None = None
    """Which piece of its one item this is; None for whole items."""

    def without(self, answered: Collection[str]) -> Task | None:
        """What is left of it; None where all is answered."""
        left = [(name, item) for name, item in zip(self.ids, self.items, strict=True) if name not in answered]
        return replace(self, ids=tuple(i for i, _ in left), items=tuple(x for _, x in left)) if left else None


@dataclass(frozen=True)
class Done:
    """An item, or a piece of one, is done: its records."""

    stage: str
    item: str
    records: Sequence[Any]
    took: float = 0.0
    """Seconds of a worker."""
    node: str = ""
    """The machine it was done on."""
    piece: int | None = None


@dataclass(frozen=True)
class Failed:
    """An item, or a piece of one, can't be done: why, in a line for a curator."""

    stage: str
    item: str
    error: str
    trace: str = ""
    """Of an error that is no AramegaError."""
    took: float = 0.0
    node: str = ""
    piece: int | None = None


@dataclass(frozen=True)
class Postponed:
    """An item is left for a later run, and its stage gets no more to do in this one: why."""

    stage: str
    item: str
    error: str
    took: float = 0.0
    node: str = ""
    piece: int | None = None


@dataclass(frozen=True)
class Divided:
    """An item is to be shared by several workers: what each is to do."""

    stage: str
    item: str
    pieces: tuple[Any, ...]
    took: float = 0.0
    node: str = ""


Result = Done | Failed | Postponed
"""What came of an item."""
Answer = Result | Divided
"""What a worker says of an item of its task."""


@dataclass(frozen=True)
class WorkerStatus:
    """One worker: its node, its stages, the task it holds."""

    node: str
    """Empty for one that has not answered yet, wherever it is."""
    stages: frozenset[str]
    """Those it may work for."""
    at: str | None
    """The one it works for now; None for an idle worker."""
    items: tuple[str, ...]
    """What it has been given for that and has not answered yet, by id."""
    step: Step | None = None
    """How far it is with them, where its stage tells."""


NextTask = Callable[[Collection[str]], Task | None]
"""Asked whenever a worker is free, with the names of the stages it may work for; None means nothing to do until
something under way has finished."""


class Engine(Protocol):
    name: str
    workers: int
    """How many share the cores."""

    def run(self, stages: Sequence[Stage[Any]], next_task: NextTask) -> Generator[list[Answer], None, None]:
        """Yield answers as they come, in batches that belong in one transaction, until nothing is left. About once a
        second, when everybody has been given what there is, an empty batch: a good moment to look around."""
        ...

    def statuses(self) -> list[WorkerStatus]:
        """The workers there are now."""
        ...
