"""Divided items: big ones that several workers share, done piece by piece and joined at the end.

Nothing of it is in the store: an item is done when its pieces are joined, and a build that is killed before that
begins the item anew. Where a piece fails, whatever the reason, one worker does the whole item as if it had never been
divided, so that what comes of it, good or bad, does not depend on how many there were to share it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aramega.engine import Divided, Done, Result, Task
from aramega.stages.base import JoinTask, PieceTask


@dataclass
class _DividedItem:
    """An item whose pieces are under way."""

    whole: Any
    left: int
    answers: list[Sequence[Any]]
    took: float
    failed: bool = False


@dataclass
class DividedItems:
    """The divided items of a build."""

    _items: dict[tuple[str, str], _DividedItem] = field(default_factory=dict)
    _tasks: dict[str, deque[Task]] = field(default_factory=dict)
    """By stage: pieces, and items to be joined, that nobody works on."""

    def next_task(self, stage: str) -> Task | None:
        tasks = self._tasks.get(stage)
        return tasks.popleft() if tasks else None

    def divide(self, divided: Divided, whole: Any) -> None:
        """Have the pieces done that a worker divided `whole` into."""
        pieces = divided.pieces
        self._items[divided.stage, divided.item] = _DividedItem(whole, len(pieces), [()] * len(pieces), divided.took)
        tasks = [
            Task(divided.stage, (divided.item,), (PieceTask(whole, piece),), piece=number)
            for number, piece in enumerate(pieces)
        ]
        self._tasks.setdefault(divided.stage, deque()).extend(tasks)

    def take(self, result: Result) -> Result | None:
        """The result of an item, with all the time that its pieces took; None for a piece's, which is kept."""
        item = self._items.get((result.stage, result.item))
        if item is None:
            return result
        item.took += result.took
        if result.piece is None:
            del self._items[result.stage, result.item]
            return replace(result, took=item.took)
        item.left -= 1
        if isinstance(result, Done):
            item.answers[result.piece] = result.records
        else:
            item.failed = True
        if not item.left:
            answers = () if item.failed else tuple(item.answers)
            self._tasks[result.stage].append(Task(result.stage, (result.item,), (JoinTask(item.whole, answers),)))
            item.answers = []
        return None
