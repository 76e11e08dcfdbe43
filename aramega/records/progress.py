"""How a build goes, as only its driver knows it: the contents of a workspace's `progress.json`.

The shape is a promise to other programs. `version` grows when a field changes its meaning or goes; fields may be
added without that. It holds names, counts and one-line errors, the same that `status` shows, and nothing of the
configuration: so no address with a password in it, and no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aramega.records.recordings import Failure

VERSION = 1

BuildState = Literal["building", "finished", "interrupted", "crashed", "killed", "unheard"]
"""The first four are written by the driver. The last two are a reader's: the driver is gone without a word, or is on
another machine and has not been heard of for a while."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """One stage at this moment."""

    stage: str
    waiting: int
    """Items that could be done now and have not been given to a worker."""
    under_way: int
    done: int
    """In all runs so far, under today's configuration."""
    failed: int
    workers: int
    """Those at work on it, and those that may work on nothing else."""
    busy: int
    items_a_minute: float
    """In the last minute, or as long as the build runs; failures count, too."""
    hours_of_sound_an_hour: float
    left: int
    """Waiting, under way, and what earlier stages are expected to make."""
    seconds_left: float | None
    """At this pace; None where it did nothing in the last minute and has something left."""
    steps_done: int = 0
    steps: int = 0
    """Of what is under way, where the stage tells: windows that were heard, for example, and windows there are."""
    step_unit: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What came of one stage's items on one node since the build began."""

    stage: str
    done: int
    failed: int
    sound_seconds: float
    busy_seconds: float
    """Seconds of workers, over all items."""


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """One machine, or one raylet of a Ray cluster."""

    node: str
    """Empty for workers that have not finished anything yet."""
    workers: int
    busy: int
    busy_share: float
    """Of its workers' time in the last minute, 0 to 1."""
    work: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """A build at one moment. Times are ISO 8601, in UTC."""

    version: int
    at: str
    """When this was written: about every second while the driver is there."""
    state: BuildState
    begun: str
    pid: int
    """The driver's process, on `host`."""
    host: str
    engine: str
    workers: int
    busy: int
    stages: tuple[StageProgress, ...]
    nodes: tuple[NodeProgress, ...]
    seconds_left: float | None
    """Of the stage that takes longest; None where one of them gives no hint."""
    last_item_at: str | None
    """When an item was last finished, well or not; None before the first of this run."""
    drafts: Mapping[str, int] = field(default_factory=dict)
    """By decision: keep, review first, reject. Decided anew when the stages are done."""
    unreviewed: Mapping[str, int] = field(default_factory=dict)
    """Of these, those of which nobody has sent a review yet."""
    last_failures: tuple[Failure, ...] = ()
    """Of this run, newest first."""
