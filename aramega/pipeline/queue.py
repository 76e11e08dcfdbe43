"""The items that one stage still has to do, in a build: those that may be ready, those that are, those under way.

What is ready is known only to the store, and each question costs a statement. So items are counted first, and looked up
many at a time when a full batch is possible; what was looked up and not given out is kept, and not asked for again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from aramega.records import Source
from aramega.store import Mark, Store
from aramega.store.items import name_of_source
from aramega.store.pending import list_pending, select_pending
from aramega.store.results import retract_result

LOOKED_UP = 64
"""Items to a look at the store."""


@dataclass(frozen=True)
class ItemInWork:
    """What the news of an item says of it, from when it was loaded."""

    name: str
    """The file's, whatever the item is."""
    recording: str = ""
    """Of a passage."""
    seconds: float = 0.0
    """Of a passage."""

    @classmethod
    def from_item(cls, item: Any) -> ItemInWork:
        if isinstance(item, Source):
            return cls(name_of_source(item.path))
        if passage := getattr(item, "passage", None):
            return cls(item.recording.name, passage.recording, passage.end - passage.start)
        return cls(item.recording.name)


@dataclass
class StageQueue:
    """One stage's items."""

    store: Store
    mark: Mark
    reads: Sequence[Mark]
    under_way: dict[str, ItemInWork] = field(default_factory=dict)
    _candidates: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Something they read is done: they may be ready."""
    _ready: deque[tuple[str, bool]] = field(default_factory=deque)
    """Pending for sure, and whether a result under other options stands."""
    _ready_names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._backlog: Iterator[str] = list_pending(self.store, self.mark, self.reads)
        """What earlier runs left."""
        self._backlog_ends = False

    def __contains__(self, item: str) -> bool:
        """Whether the stage is at the item or will be, for sure."""
        return item in self.under_way or item in self._ready_names

    def add(self, items: Iterable[str]) -> None:
        """Items that may be ready now."""
        self._candidates.update((item, None) for item in items if item not in self._ready_names)

    def start(self, items: Mapping[str, Any]) -> None:
        """Note that these are given to a worker."""
        self.under_way.update((name, ItemInWork.from_item(item)) for name, item in items.items())

    def take(self, size: int, *, full: bool) -> list[str]:
        """Up to `size` ready items; none if they must be `full` and are not."""
        while len(self._ready) < size and not (full and self._backlog_ends and self._at_most() < size):
            chunk = self._next_chunk(size)
            if not chunk:
                break
            self._look_up(chunk)
        if full and len(self._ready) < size:
            return []
        return [self._take(*self._ready.popleft()) for _ in range(min(size, len(self._ready)))]

    def ask_again(self) -> None:
        """Look up once more what was found ready: a file that changed may have taken it away."""
        self._candidates = OrderedDict.fromkeys([*(item for item, _ in self._ready), *self._candidates])
        self._ready.clear()
        self._ready_names.clear()

    def _at_most(self) -> int:
        return len(self._ready) + len(self._candidates)

    def _next_chunk(self, size: int) -> list[str]:
        """Some items to look up, what this run made first."""
        number = max(size, LOOKED_UP)
        if self._candidates:
            return [self._candidates.popitem(last=False)[0] for _ in range(min(number, len(self._candidates)))]
        chunk = list(islice(self._backlog, number))
        self._backlog_ends = len(chunk) < number
        return chunk

    def _look_up(self, items: Sequence[str]) -> None:
        unseen = [item for item in items if item not in self]
        pending = select_pending(self.store, self.mark, self.reads, unseen) if unseen else {}
        self._ready.extend(pending.items())
        self._ready_names.update(pending)

    def _take(self, item: str, retract: bool) -> str:
        self._ready_names.discard(item)
        if retract:
            retract_result(self.store, self.mark, item)
        return item
