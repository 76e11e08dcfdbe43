"""Prefetch: prepares the next few items in threads while the current one is used.

Decoding and mel features release the GIL for most of their time, so threads are enough, and unlike
worker processes they start at once and need nothing pickled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")


def prepare_ahead(
    items: Iterable[Item], prepare: Callable[[Item], Prepared], *, pool: ThreadPoolExecutor, depth: int
) -> Iterator[tuple[Item, Prepared]]:
    """Yield each item with its result of `prepare`, in order; up to `depth` items are prepared at a time."""
    pending: deque[tuple[Item, Future[Prepared]]] = deque()
    try:
        for item in items:
            pending.append((item, pool.submit(prepare, item)))
            if len(pending) > depth:
                ready, future = pending.popleft()
                yield ready, future.result()
        while pending:
            ready, future = pending.popleft()
            yield ready, future.result()
    finally:
        for _, future in pending:
            future.cancel()
