"""The plan of a build: what is ready, what is under way, and what a free worker should do next.

Work goes depth first: whenever a worker is free it gets the item that is furthest along, so a recording
is finished, and its decoded samples dropped, before the next one is opened. Everything that is known
about progress is in the store; this module holds only what is under way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aramega.engine import Answer, Divided, Done, Failed, Postponed, Result, Task
from aramega.engine.division import DividedItems
from aramega.pipeline.pipeline import Pipeline
from aramega.stages.base import Stage, Takes
from aramega.store import Broken, Finished, Store
from aramega.store.items import items_made_ready, load_item, load_items, name_of, passage_seconds
from aramega.store.pending import is_pending, list_pending
from aramega.store.results import has_failed, retract_result, write_outcomes


@dataclass(frozen=True)
class Progress:
    """One batch's worth of news, for whoever shows it."""

    stage: str
    item: str
    name: str
    """The file's, whatever the item is."""
    error: str
    seconds: float
    """Of audio, in what the item made; for a draft, in the passage it is of."""
    stopped: bool = False
    """The stage can't go on in this run, and the error says why; what it has not done is left for the next."""
    took: float = 0.0
    """Seconds of a worker."""
    node: str = ""
    """The machine it was done on."""


@dataclass
class Plan:
    """The stages to run and, for each, what is ready and what is under way."""

    store: Store
    pipeline: Pipeline
    workers: int = 1
    """How many share the cores, and could share an item."""
    limit: int | None = None
    ready: dict[str, deque[str]] = field(default_factory=dict)
    under_way: dict[str, set[str]] = field(default_factory=dict)
    backlog: dict[str, Iterator[str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    """Stages that can't go on in this run, and why."""
    divided: DividedItems = field(default_factory=DividedItems)

    def __post_init__(self) -> None:
        self.stages, self.marks = self.pipeline.chosen, self.pipeline.marks
        self._by_name = {stage.name: stage for stage in self.stages}
        for stage in self.stages:
            self.ready[stage.name] = deque()
            self.under_way[stage.name] = set()
            self.backlog[stage.name] = list_pending(self.store, *self.pipeline.needs(stage))

    def next_task(self, allowed: Collection[str]) -> Task | None:
        """What a worker that is free for the `allowed` stages should do now: the item furthest along."""
        for stage in reversed(self.stages):
            if stage.name not in allowed:
                continue
            if piece := self.divided.next_task(stage.name):
                return piece
            if ids := self._take_batch(stage):
                items = tuple(load_items(self.store, stage.takes, ids, stage.parts))
                return Task(stage.name, tuple(ids), items, self.workers)
        return None

    def write(self, answers: Sequence[Answer]) -> list[Progress]:
        """Commit a batch, and queue what it made ready."""
        results = [result for answer in answers if (result := self._result_of_item(answer))]
        write_outcomes(self.store, [self._to_write(r) for r in results if not isinstance(r, Postponed)])
        for result in results:
            stage = self._stage_of(result)
            self.under_way[stage.name].discard(result.item)
            if isinstance(result, Done):
                self._queue_followers(stage, result.item)
            self._drop_audio(stage, result.item)
        return [self._news(r) for r in results if not isinstance(r, Postponed)] + self._stop_stages(results)

    def _stage_of(self, answer: Answer) -> Stage[Any]:
        return self._by_name[answer.stage]

    def _result_of_item(self, answer: Answer) -> Result | None:
        """The result of a whole item; None for a piece's, and where an item is only now divided."""
        if isinstance(answer, Divided):
            stage = self._stage_of(answer)
            self.divided.divide(answer, load_item(self.store, stage.takes, answer.item, stage.parts))
            return None
        return self.divided.take(answer)

    def _take_batch(self, stage: Stage[Any]) -> list[str]:
        """A full batch of the stage's items; fewer only if no earlier stage is about to make more ready."""
        if stage.name in self.stopped:
            return []
        ids = self._take(stage)
        earlier = self.stages[: self.stages.index(stage)]
        if len(ids) < stage.batch_size and any(self.under_way[s.name] for s in earlier):
            self.ready[stage.name].extendleft(reversed(ids))
            self.under_way[stage.name].difference_update(ids)
            return []
        return ids

    def _take(self, stage: Stage[Any]) -> list[str]:
        """Up to a batch of the stage's items that nobody is working on."""
        if stage.takes is Takes.SOURCE and self.limit is not None and self.limit <= 0:
            return []
        ids: list[str] = []
        while len(ids) < stage.batch_size:
            queue = self.ready[stage.name]
            item = queue.popleft() if queue else next(self.backlog[stage.name], None)
            if item is None:
                break
            if item not in self.under_way[stage.name] and is_pending(self.store, *self.pipeline.needs(stage), item):
                self.under_way[stage.name].add(item)
                retract_result(self.store, self.marks[stage.name], item)
                ids.append(item)
        if stage.takes is Takes.SOURCE and self.limit is not None:
            self.limit -= len(ids)
        return ids

    def _stop_stages(self, results: Sequence[Result]) -> list[Progress]:
        """Give no more to a stage that left an item for later; said once a stage."""
        news = []
        for result in results:
            if isinstance(result, Postponed) and result.stage not in self.stopped:
                self.stopped[result.stage] = result.error
                news.append(Progress(result.stage, "", "", result.error, 0.0, stopped=True))
        return news

    def _to_write(self, result: Done | Failed) -> Finished | Broken:
        mark = self.marks[result.stage]
        if isinstance(result, Failed):
            return Broken(mark, result.item, result.error, result.trace)
        return Finished(mark, result.item, self._stage_of(result).makes, result.records, result.took)

    def _queue_followers(self, stage: Stage[Any], item: str) -> None:
        for follower in self.stages:
            if stage.name in follower.after:
                self.ready[follower.name].extend(items_made_ready(self.store, item, stage.takes, follower.takes))

    def _drop_audio(self, stage: Stage[Any], item: str) -> None:
        """Remove a recording's decoded samples once no stage of this build still wants them."""
        if stage.takes is Takes.PASSAGE:
            return
        for recording in items_made_ready(self.store, item, stage.takes, Takes.RECORDING):
            if not any(self._still_wants(s, recording) for s in self.stages if s.needs_audio):
                stage.workspace.drop_audio(recording)

    def _still_wants(self, stage: Stage[Any], recording: str) -> bool:
        """Whether the stage is at the recording, or will be: now, or once what it reads is there."""
        if recording in self.under_way[stage.name]:
            return True
        doomed = any(has_failed(self.store, self.marks[name], recording) for name in stage.after)
        return not doomed and is_pending(self.store, self.marks[stage.name], [], recording)

    def _news(self, result: Done | Failed) -> Progress:
        stage = self._stage_of(result)
        name = name_of(self.store, stage.takes, result.item)
        if isinstance(result, Failed):
            return Progress(stage.name, result.item, name, result.error, 0.0, took=result.took, node=result.node)
        counted: list[Any] = [r for r in result.records if isinstance(r, stage.makes[-1])]
        seconds = sum(getattr(r, "seconds", 0.0) for r in counted) or (
            passage_seconds(self.store, result.item) if counted else 0.0
        )
        return Progress(stage.name, result.item, name, "", seconds, took=result.took, node=result.node)
