"""Throughput: counts a build's items by stage and node, and measures its pace over the last minute.

A pace is the difference between two counts, now and a minute ago, over the time between them; so it is right from the
first seconds on. How busy a node is, is sampled at each look instead of being counted, since an item that takes ten
minutes would leave its worker idle for nine of them, and ten times busy in the last.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aramega.engine import WorkerStatus
from aramega.pipeline.plan import Progress
from aramega.records import NodeProgress, Work

WINDOW = 60.0
"""Seconds."""


@dataclass
class _Count:
    """How many items of a stage, on one node or on all."""

    done: int = 0
    failed: int = 0
    sound: float = 0.0
    busy: float = 0.0

    def note(self, result: Progress) -> None:
        if result.error:
            self.failed += 1
        else:
            self.done += 1
            self.sound += result.seconds
        self.busy += result.took


@dataclass(frozen=True)
class _Sample:
    """The counts at one look, by stage, and who was busy, by node."""

    at: float
    items: Mapping[str, int]
    sound: Mapping[str, float]
    workers: Counter[str]
    busy: Counter[str]


class Throughput:
    """Counts items as they end, and samples the workers; `now` is the seconds of any clock."""

    def __init__(self, now: float) -> None:
        self._stages: defaultdict[str, _Count] = defaultdict(_Count)
        self._nodes: defaultdict[str, defaultdict[str, _Count]] = defaultdict(lambda: defaultdict(_Count))
        self._samples: deque[_Sample] = deque()
        self.look((), now)

    def note(self, news: Iterable[Progress]) -> None:
        for result in news:
            if not result.stopped:
                self._stages[result.stage].note(result)
                self._nodes[result.node][result.stage].note(result)

    def look(self, statuses: Sequence[WorkerStatus], now: float) -> None:
        """Take a sample of the counts and the workers, and drop those older than a minute."""
        items = {stage: count.done + count.failed for stage, count in self._stages.items()}
        sound = {stage: count.sound for stage, count in self._stages.items()}
        workers = Counter(status.node for status in statuses)
        busy = Counter(status.node for status in statuses if status.at is not None)
        self._samples.append(_Sample(now, items, sound, workers, busy))
        while len(self._samples) > 2 and self._samples[1].at <= now - WINDOW:
            self._samples.popleft()

    def done(self, stage: str) -> int:
        return self._stages[stage].done

    def failed(self, stage: str) -> int:
        return self._stages[stage].failed

    def items_a_minute(self, stage: str) -> float:
        first, last = self._samples[0], self._samples[-1]
        return 60 * (last.items.get(stage, 0) - first.items.get(stage, 0)) / max(1e-3, last.at - first.at)

    def hours_an_hour(self, stage: str) -> float:
        first, last = self._samples[0], self._samples[-1]
        return (last.sound.get(stage, 0.0) - first.sound.get(stage, 0.0)) / max(1e-3, last.at - first.at)

    def nodes(self) -> tuple[NodeProgress, ...]:
        """Every machine that has done anything or has a worker now."""
        now = self._samples[-1]
        names = sorted(set(self._nodes) | set(now.workers))
        return tuple(
            NodeProgress(name, now.workers[name], now.busy[name], self._busy_share(name), self._work_of(name))
            for name in names
        )

    def _busy_share(self, node: str) -> float:
        workers = sum(sample.workers[node] for sample in self._samples)
        return round(sum(sample.busy[node] for sample in self._samples) / workers, 3) if workers else 0.0

    def _work_of(self, node: str) -> tuple[Work, ...]:
        return tuple(
            Work(stage, count.done, count.failed, round(count.sound, 3), round(count.busy, 3))
            for stage, count in self._nodes.get(node, {}).items()
        )
