"""Sharing: big items that a stage divides into pieces, done by whoever is free and joined at the end.

Nothing of it is in the store: an item is done when its pieces are joined, and a build that is killed before that
begins the item anew. Where a piece fails, whatever the reason, one worker does the whole item as if it had never been
divided, so that what comes of it, good or bad, does not depend on how many there were to share it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aramega.engine import Outcome, Task
from aramega.stages.base import Joint, Piece, Pieces


@dataclass
class _Shared:
    """An item that was divided."""

    whole: Any
    left: int
    answers: list[Sequence[Any]]
    took: float
    failed: bool = False


@dataclass
class Sharing:
    """The divided items of a build."""

    _items: dict[tuple[int, str], _Shared] = field(default_factory=dict)
    _ready: dict[int, deque[Task]] = field(default_factory=dict)
    """By stage: pieces and joints that nobody works on."""

    def next_task(self, stage: int) -> Task | None:
        ready = self._ready.get(stage)
        return ready.popleft() if ready else None

    def divide(self, outcome: Outcome, whole: Any) -> None:
        """Have the pieces done that a stage answered with."""
        (pieces,) = outcome.records
        key = (outcome.stage, outcome.item)
        self._items[key] = _Shared(whole, len(pieces.parts), [()] * len(pieces.parts), outcome.took)
        tasks = [_task(outcome.stage, _name(outcome.item, i), Piece(whole, p)) for i, p in enumerate(pieces.parts)]
        self._ready.setdefault(outcome.stage, deque()).extend(tasks)

    def take(self, outcome: Outcome) -> Outcome | None:
        """The outcome for the stage's records, with all the time its item took; None for a piece's, which is kept."""
        item, divided, number = outcome.item.partition(_MARK)
        key = (outcome.stage, item)
        shared = self._items.get(key)
        if shared is None:
            return outcome
        shared.took += outcome.took
        if not divided:
            del self._items[key]
            return replace(outcome, took=shared.took)
        shared.left -= 1
        shared.failed |= bool(outcome.error)
        shared.answers[int(number)] = outcome.records
        if not shared.left:
            answers = () if shared.failed else tuple(shared.answers)
            self._ready[outcome.stage].append(_task(outcome.stage, item, Joint(shared.whole, answers)))
            shared.answers = []
        return None


def item_of(task_id: str) -> str:
    """The item that an id in a task is of, whole or a piece."""
    return task_id.partition(_MARK)[0]


def is_divided(outcome: Outcome) -> bool:
    return len(outcome.records) == 1 and isinstance(outcome.records[0], Pieces)


_MARK = "\0"
"""In no path and no id."""


def _name(item: str, piece: int) -> str:
    return f"{item}{_MARK}{piece}"


def _task(stage: int, name: str, what: Piece | Joint) -> Task:
    return Task(stage, (name,), (what,))
