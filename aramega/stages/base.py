"""What a stage is: a named, versioned, pure function from items to records.

A stage knows its options and the folder it may write clips to; it never sees the store, the engine or
the terminal. Its fingerprint says what its results depend on: its version, its options and the
fingerprints of the stages it reads. Same fingerprint, same results; so a result is never made twice.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

from aramega.config import Options
from aramega.plugins import Plugin, find_plugins
from aramega.records import Part
from aramega.workspace import WorkspaceFolder

Item = TypeVar("Item")


class Takes(Enum):
    """What a stage's items are. The store knows how to list and load each."""

    SOURCE = "source"
    RECORDING = "recording"
    PASSAGE = "passage"


@dataclass(frozen=True)
class Pieces:
    """What a divisible stage answers for an item that is so big that several workers should share it: what each is to
    do."""

    pieces: tuple[Any, ...]


@dataclass(frozen=True)
class PieceTask:
    """One worker's piece of an item."""

    whole: Any
    piece: Any


@dataclass(frozen=True)
class JoinTask:
    """An item whose pieces are done, with the answer for each; without answers, one that could not be shared after
    all and is to be done by one worker."""

    whole: Any
    answers: tuple[Sequence[Any], ...] = ()


@dataclass(frozen=True)
class Step:
    """How far a batch is, told between two answers by a stage whose items take long."""

    done: int
    of: int
    unit: str
    """What is counted: windows, for example."""


class Stage(ABC, Generic[Item]):
    """One step of the build. Instances travel to worker processes, so they hold options, not models."""

    name: ClassVar[str]
    version: ClassVar[int]
    takes: ClassVar[Takes]
    makes: ClassVar[tuple[type, ...]]
    """The records it gives, the one that counts as its result last."""
    counts: ClassVar[str]
    """What a curator counts its results in, in the singular: recording, passage, transcript."""
    table: ClassVar[str]
    """Where the workspace's database keeps its results."""
    after: ClassVar[tuple[str, ...]] = ()
    """The stages whose results an item must have before this one can work on it."""
    parts: ClassVar[Part] = Part.ALL
    """What it reads of an item beside the recording, its files and the passage itself: the rest is not loaded."""
    needs_audio: ClassVar[bool] = False
    """Whether the decoded samples must stay on disk until this stage has seen the recording."""
    batch_size: int = 1
    """Items a task; fewer only once no earlier stage has more to come."""
    workers: int | None = None
    """Workers of its own, for a stage that holds a model or talks to a server; None shares those of the machine's cores."""

    options: Options

    def __init__(self, options: Options, workspace: WorkspaceFolder) -> None:
        self.options = options
        self.workspace = workspace

    @abstractmethod
    def run(self, item: Item) -> Sequence[Any]:
        """The records that come of one item. Raise for an item that cannot be done; the others go on."""

    def run_batch(self, items: Sequence[Item]) -> Iterator[Sequence[Any] | Exception | Step]:
        """One answer per item, in order, and steps between them. Each answer is committed as soon as it is yielded.
        Override where doing many at once is faster."""
        for item in items:
            try:
                yield self.run(item)
            except Exception as error:  # noqa: BLE001  whatever one item does, the next gets its turn
                yield error

    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that results depend on: another version of one is another fingerprint."""
        mine = find_plugins("stages").get(self.name)
        return (mine,) if mine and mine.target.partition(":")[0] == type(self).__module__ else ()

    def check(self) -> None:
        """Raise, before anything starts, if something the stage needs is not installed."""

    def prepare(self) -> None:
        """Load what is heavy, once per worker, before the first item."""

    def forget_failures(self) -> None:
        """Called once, before a build that tries failed items again: drop what would only repeat the failure."""


class Divisible(Stage[Item]):
    """A stage that can have several workers share an item. How many there are may change who does the work, never what
    comes of it."""

    @abstractmethod
    def divide(self, item: Item, workers: int) -> Sequence[Any] | Pieces:
        """What each of the workers is to do, or the records of an item that is not worth sharing: one look at it tells
        both, and for many small items a second look would cost more than the rest."""

    @abstractmethod
    def run_piece(self, whole: Item, piece: Any) -> Sequence[Any]:
        """What comes of a piece, for `join`."""

    @abstractmethod
    def join(self, whole: Item, answers: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """The records of an item, from its pieces' answers, or, where there are none, from the item alone."""

    def run(self, item: Item) -> Sequence[Any]:
        answer = self.divide(item, workers=1)
        return self.join(item, ()) if isinstance(answer, Pieces) else answer


def fingerprints(stages: Sequence[Stage[Any]]) -> dict[str, str]:
    """Each stage's fingerprint, given that the stages come in order."""
    so_far: dict[str, str] = {}
    for stage in stages:
        so_far[stage.name] = _fingerprint(stage, {name: so_far[name] for name in stage.after})
    return so_far


def _fingerprint(stage: Stage[Any], upstream: Mapping[str, str]) -> str:
    versions = [plugin.distribution for plugin in stage.plugins() if plugin.distribution]
    deciding = [stage.name, stage.version, stage.options.deciding(), upstream, *versions]
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]
