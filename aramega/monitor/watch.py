"""Watch: how fast a build is going, how long the rest takes at that, and what failed last.

Read from the workspace's database, so it needs nothing of the build and runs on any machine that sees the workspace.
What only the driver knows, its queues, workers and nodes, is read from the progress file that it writes. The pace is of
the last minute, and the time left a guess that gets better as the build goes on; there is none for a stage that did
nothing in the last minute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from aramega.config import choose_config
from aramega.monitor.estimates import count_left, longest, seconds_left
from aramega.monitor.progress_file import read_progress
from aramega.monitor.status import Status, status
from aramega.pipeline import Pipeline
from aramega.records import BuildProgress, Failure
from aramega.store import Mark, Store
from aramega.store.items import name_of
from aramega.store.summaries import newest_failures, newest_result, results_between
from aramega.workspace import WorkspaceFolder

WINDOW = timedelta(minutes=1)
SHOWN_FAILURES = 5
_REST = 4
"""A look at a workspace of millions takes seconds; we rest so many times longer, to leave the disk to the build."""


@dataclass(frozen=True)
class Pace:
    """How one stage goes."""

    stage: str
    left: int
    """Items still to do, with those that earlier stages are expected to make."""
    items: int
    """Done in the last minute, or since the build that is at work began."""
    items_a_minute: float
    hours_an_hour: float
    """Of sound, at that pace; 0 for a stage whose results have no length."""
    seconds_left: float | None
    """At that pace; None where it did nothing in the last minute and has something left."""


@dataclass(frozen=True)
class Moment:
    """A build at one moment."""

    at: str
    status: Status
    paces: tuple[Pace, ...]
    newest_failures: tuple[Failure, ...]
    seconds_left: float | None
    """Of the stage that takes longest; None where one of them gives no hint."""
    quiet_seconds: float | None
    """Since the newest result, of any stage; None before the first."""
    build: BuildProgress | None
    """What the last build's driver told, and whether it is still there; None where none has told anything."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json: those of the status, and these beside them."""
        return {**self.status.to_dict(), **{key: value for key, value in asdict(self).items() if key != "status"}}


def look(store: Store, workspace: WorkspaceFolder, now: datetime | None = None) -> Moment:
    """A workspace at this moment, under the configuration it has at this moment."""
    now = now or datetime.now(timezone.utc)
    pipeline = Pipeline.from_config(choose_config(None, workspace.config), workspace)
    build = read_progress(workspace, now)
    with store.snapshot():
        counts = status(store, pipeline)
        left = count_left(counts.recordings, counts.stages, [stage.takes for stage in pipeline.stages])
        paces = _paces(store, left, _window(build, now), now)
        failures = _newest_failures(store, pipeline.marks)
        newest = newest_result(store)
    return Moment(
        at=now.isoformat(timespec="seconds"),
        status=counts,
        paces=paces,
        newest_failures=failures,
        seconds_left=longest(pace.seconds_left for pace in paces),
        quiet_seconds=(now - datetime.fromisoformat(newest)).total_seconds() if newest else None,
        build=build,
    )


def watch(workspace: WorkspaceFolder, interval: float) -> Iterator[Moment]:
    """Look again and again, `interval` seconds apart, or longer where looking itself takes long."""
    with Store.open(workspace) as store:
        while True:
            begun = time.monotonic()
            yield look(store, workspace)
            took = time.monotonic() - begun
            time.sleep(max(interval, _REST * took))


def _window(build: BuildProgress | None, now: datetime) -> timedelta:
    """What a pace is taken over: a build that began ten seconds ago is not to be judged by the fifty before."""
    if build is None or build.state != "building":
        return WINDOW
    begun = timedelta(seconds=1) + now - datetime.fromisoformat(build.begun)  # both times are of whole seconds
    return min(WINDOW, max(timedelta(seconds=1), begun))


def _paces(store: Store, left: dict[str, int], window: timedelta, now: datetime) -> tuple[Pace, ...]:
    since, until = ((now - ago).isoformat(timespec="seconds") for ago in (window, timedelta()))
    recent = results_between(store, since, until)
    return tuple(_pace(stage, number, *recent.get(stage, (0, 0.0)), window) for stage, number in left.items())


def _pace(stage: str, left: int, items: int, sound: float, window: timedelta) -> Pace:
    over = window.total_seconds()
    a_minute = 60 * items / over
    return Pace(stage, left, items, round(a_minute, 2), round(sound / over, 3), seconds_left(left, a_minute))


def _newest_failures(store: Store, marks: Mapping[str, Mark]) -> tuple[Failure, ...]:
    failures = newest_failures(store, marks.values(), SHOWN_FAILURES)
    return tuple(replace(f, name=name_of(store, marks[f.stage].takes, f.item)) for f in failures)
