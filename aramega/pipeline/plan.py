"""The plan of a build: what is ready, what is under way, and what a free worker should do next.

Work goes depth first: whenever a worker is free it gets the item that is furthest along, so a recording
is finished, and its decoded samples dropped, before the next one is opened. Everything that is known
about progress is in the store; this module holds only what is under way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from aramega.engine import Answer, Divided, Done, Failed, Postponed, Result, Task
from aramega.engine.division import DividedItems
from aramega.pipeline.pipeline import Pipeline
from aramega.pipeline.queue import StageQueue
from aramega.stages.base import Stage, Takes
from aramega.store import Broken, Finished, Store
from aramega.store.items import items_made_ready, load_item, load_items
from aramega.store.pending import is_wanted
from aramega.store.recordings import Recordings
from aramega.store.results import write_outcomes

_MOST_KEPT = 64
"""Recordings that are remembered: more than are under way at a time."""


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
    queues: dict[str, StageQueue] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    """Stages that can't go on in this run, and why."""
    divided: DividedItems = field(default_factory=DividedItems)
    _recordings: Recordings = field(default_factory=dict)
    """Those whose passages were given out last: only a source's result changes them."""

    def __post_init__(self) -> None:
        self.stages, self.marks = self.pipeline.chosen, self.pipeline.marks
        self._by_name = {stage.name: stage for stage in self.stages}
        for stage in self.stages:
            self.queues[stage.name] = StageQueue(self.store, *self.pipeline.needs(stage))

    def next_task(self, allowed: Collection[str]) -> Task | None:
        """What a worker that is free for the `allowed` stages should do now: the item furthest along."""
        for stage in reversed(self.stages):
            if stage.name not in allowed:
                continue
            if piece := self.divided.next_task(stage.name):
                return piece
            if ids := self._take_batch(stage):
                if len(self._recordings) > _MOST_KEPT:
                    self._recordings.clear()
                loaded = load_items(self.store, stage.takes, ids, stage.parts, self._recordings)
                items = dict(zip(ids, loaded, strict=True))
                self.queues[stage.name].start(items)
                return Task(stage.name, tuple(items), tuple(items.values()), self.workers)
        return None

    def write(self, answers: Sequence[Answer]) -> list[Progress]:
        """Commit a batch, and queue what it made ready."""
        results = [result for answer in answers if (result := self._result_of_item(answer))]
        write_outcomes(self.store, [self._to_write(r) for r in results if not isinstance(r, Postponed)])
        news = [self._news(r) for r in results if not isinstance(r, Postponed)]
        for result in results:
            del self.queues[result.stage].under_way[result.item]
        for stage in self.stages:
            if of_stage := [result for result in results if result.stage == stage.name]:
                self._queue_followers(stage, [result.item for result in of_stage if isinstance(result, Done)])
                self._drop_audio(stage, [result.item for result in of_stage])
        return news + self._stop_stages(results)

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
        size = stage.batch_size
        if stage.takes is Takes.SOURCE and self.limit is not None:
            size = min(size, self.limit)
        if stage.name in self.stopped or size <= 0:
            return []
        earlier = self.stages[: self.stages.index(stage)]
        ids = self.queues[stage.name].take(size, full=any(self.queues[s.name].under_way for s in earlier))
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

    def _queue_followers(self, stage: Stage[Any], done: Sequence[str]) -> None:
        """Have the stages that read this one look at what these items made ready."""
        if not done:
            return
        if stage.takes is Takes.SOURCE:  # a file that holds something else now takes the old recording with it
            self._recordings.clear()
            for queue in self.queues.values():
                queue.ask_again()
        followers = [follower for follower in self.stages if stage.name in follower.after]
        items = {
            takes: items_made_ready(self.store, done, stage.takes, takes)
            for takes in dict.fromkeys(follower.takes for follower in followers)
        }
        for follower in followers:
            self.queues[follower.name].add(
                item for item in items[follower.takes] if not self._must_wait(follower, stage, item)
            )

    def _must_wait(self, follower: Stage[Any], stage: Stage[Any], item: str) -> bool:
        """Whether something else that the follower reads is still to come, and will queue the item when it is there."""
        if stage.takes is Takes.PASSAGE and follower.takes is Takes.RECORDING:
            return any(passage.recording == item for passage in self.queues[stage.name].under_way.values())
        return any(
            item in self.queues[other.name]
            for other in self.stages
            if other.name in follower.after and other.takes is follower.takes
        )

    def _drop_audio(self, stage: Stage[Any], items: Sequence[str]) -> None:
        """Remove recordings' decoded samples once no stage of this build still wants them."""
        if stage.takes is Takes.PASSAGE:
            return
        listening = [s for s in self.stages if s.needs_audio]
        marks = [self.pipeline.needs(s) for s in listening]
        for recording in items_made_ready(self.store, items, stage.takes, Takes.RECORDING):
            if any(recording in self.queues[s.name] for s in listening):
                continue
            if not is_wanted(self.store, recording, marks):
                stage.workspace.drop_audio(recording)

    def _news(self, result: Done | Failed) -> Progress:
        stage = self._stage_of(result)
        item = self.queues[stage.name].under_way[result.item]
        if isinstance(result, Failed):
            return Progress(stage.name, result.item, item.name, result.error, 0.0, took=result.took, node=result.node)
        counted: list[Any] = [r for r in result.records if isinstance(r, stage.makes[-1])]
        seconds = sum(getattr(r, "seconds", 0.0) for r in counted) or (item.seconds if counted else 0.0)
        return Progress(stage.name, result.item, item.name, "", seconds, took=result.took, node=result.node)
