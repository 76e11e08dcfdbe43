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

from aramega.engine import Outcome, Task
from aramega.engine.sharing import Sharing, is_divided
from aramega.pipeline.pipeline import Pipeline
from aramega.stages.base import Stage, Takes
from aramega.store import Broken, Finished, Store
from aramega.store.items import items_made_ready, load_item, name_of, passage_seconds
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
    limit: int | None = None
    ready: dict[str, deque[str]] = field(default_factory=dict)
    under_way: dict[str, set[str]] = field(default_factory=dict)
    backlog: dict[str, Iterator[str]] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    """Stages that can't go on in this run, and why."""
    sharing: Sharing = field(default_factory=Sharing)

    def __post_init__(self) -> None:
        self.stages, self.marks = self.pipeline.chosen, self.pipeline.marks
        for stage in self.stages:
            self.ready[stage.name] = deque()
            self.under_way[stage.name] = set()
            self.backlog[stage.name] = list_pending(self.store, *self.pipeline.needs(stage))

    def next_task(self, allowed: Collection[int]) -> Task | None:
        """What a worker that is free for the `allowed` stages should do now: the item furthest along."""
        for position in sorted(allowed, reverse=True):
            stage = self.stages[position]
            if piece := self.sharing.next_task(position):
                return piece
            ids = self._take_batch(position)
            if ids:
                return Task(position, tuple(ids), tuple(load_item(self.store, stage.takes, item) for item in ids))
        return None

    def write(self, outcomes: Sequence[Outcome]) -> list[Progress]:
        """Commit a batch, and queue what it made ready."""
        outcomes = [whole for o in outcomes if (whole := self._whole(o))]
        write_outcomes(self.store, [self._to_write(o) for o in outcomes if not o.postponed])
        for outcome in outcomes:
            stage = self.stages[outcome.stage]
            self.under_way[stage.name].discard(outcome.item)
            if not outcome.error:
                self._queue_followers(stage, outcome)
            self._drop_audio(stage, outcome)
        return [self._news(o) for o in outcomes if not o.postponed] + self._stop_stages(outcomes)

    def _whole(self, outcome: Outcome) -> Outcome | None:
        """The outcome if it is an item's own; None if it is of a piece, or begins an item's division."""
        if is_divided(outcome):
            takes = self.stages[outcome.stage].takes
            self.sharing.divide(outcome, load_item(self.store, takes, outcome.item))
            return None
        return self.sharing.take(outcome)

    def _take_batch(self, position: int) -> list[str]:
        """A full batch of the stage's items; fewer only if no earlier stage is about to make more ready."""
        stage = self.stages[position]
        if stage.name in self.stopped:
            return []
        ids = self._take(stage)
        if len(ids) < stage.batch_size and any(self.under_way[s.name] for s in self.stages[:position]):
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

    def _stop_stages(self, outcomes: Sequence[Outcome]) -> list[Progress]:
        """Give no more to a stage that left an item for later; said once a stage."""
        news = []
        for outcome in outcomes:
            name = self.stages[outcome.stage].name
            if outcome.postponed and name not in self.stopped:
                self.stopped[name] = outcome.error
                news.append(Progress(name, "", "", outcome.error, 0.0, stopped=True))
        return news

    def _to_write(self, outcome: Outcome) -> Finished | Broken:
        stage = self.stages[outcome.stage]
        mark = self.marks[stage.name]
        if outcome.error:
            return Broken(mark, outcome.item, outcome.error, outcome.trace)
        return Finished(mark, outcome.item, stage.makes, outcome.records, outcome.took)

    def _queue_followers(self, stage: Stage[Any], outcome: Outcome) -> None:
        for follower in self.stages:
            if stage.name in follower.reads:
                self.ready[follower.name].extend(
                    items_made_ready(self.store, outcome.item, stage.takes, follower.takes)
                )

    def _drop_audio(self, stage: Stage[Any], outcome: Outcome) -> None:
        """Remove a recording's decoded samples once no stage of this build still wants them."""
        if stage.takes is Takes.PASSAGE:
            return
        for recording in items_made_ready(self.store, outcome.item, stage.takes, Takes.RECORDING):
            if not any(self._still_wants(s, recording) for s in self.stages if s.needs_audio):
                stage.workspace.drop_audio(recording)

    def _still_wants(self, stage: Stage[Any], recording: str) -> bool:
        """Whether the stage is at the recording, or will be: now, or once what it reads is there."""
        if recording in self.under_way[stage.name]:
            return True
        doomed = any(has_failed(self.store, self.marks[name], recording) for name in stage.reads)
        return not doomed and is_pending(self.store, self.marks[stage.name], [], recording)

    def _news(self, outcome: Outcome) -> Progress:
        kind = self.stages[outcome.stage].makes[-1]
        made: list[Any] = [r for r in outcome.records if isinstance(r, kind)]
        seconds = sum(getattr(r, "seconds", 0.0) for r in made) or (
            passage_seconds(self.store, outcome.item) if made else 0.0
        )
        stage = self.stages[outcome.stage]
        name = name_of(self.store, stage.takes, outcome.item)
        return Progress(stage.name, outcome.item, name, outcome.error, seconds, took=outcome.took, node=outcome.node)
