"""Watch: how fast a build is going, how long the rest takes at that, and what failed last.

Taken from the workspace's books alone, so it needs nothing of the build and can be asked on any machine that sees
the workspace. The pace is of the last minute; what is left counts, beside the items that wait, those that earlier
stages are still to make, as many as they have made so far for each of theirs. So the time left is a guess that gets
better as the build goes on, and there is none for a stage that did nothing in the last minute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from aramega.config import choose_config
from aramega.records import Failure
from aramega.report.status import Status, status
from aramega.report.words import clock, count, visible
from aramega.stages import make_stages
from aramega.stages.base import Takes
from aramega.store import Mark, Store, current_marks
from aramega.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import RenderableType

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
    """Done in the last minute."""
    hours_an_hour: float
    """Of sound, at the last minute's pace; 0 for a stage whose results have no length."""
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

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json: those of the status, and these beside them."""
        return {**self.status.to_dict(), **{key: value for key, value in asdict(self).items() if key != "status"}}


def look(store: Store, workspace: Workspace, now: datetime | None = None) -> Moment:
    """A workspace at this moment, under the configuration it has at this moment."""
    now = now or datetime.now(timezone.utc)
    config = choose_config(None, workspace.config, [])
    stages = make_stages(config, workspace)
    with store.snapshot():
        books = status(store, workspace, config)
        left = count_left(books, [stage.takes for stage in stages])
        paces = _paces(store, left, now)
        failures = _newest_failures(store, current_marks(stages).values())
        newest = store.connection.execute("SELECT max(finished_at) FROM results").fetchone()[0]
    return Moment(
        at=now.isoformat(timespec="seconds"),
        status=books,
        paces=paces,
        newest_failures=failures,
        seconds_left=_longest(paces),
        quiet_seconds=(now - datetime.fromisoformat(newest)).total_seconds() if newest else None,
    )


def watch(workspace: Workspace, interval: float) -> Iterator[Moment]:
    """Look again and again, `interval` seconds apart, or longer where looking itself takes long."""
    with Store.open(workspace) as store:
        while True:
            begun = time.monotonic()
            yield look(store, workspace)
            took = time.monotonic() - begun
            time.sleep(max(interval, _REST * took))


def count_left(books: Status, takes: Sequence[Takes]) -> dict[str, int]:
    """What each stage has still to do, if its items go on being made as they were."""
    left: dict[str, int] = {}
    expected: dict[Takes, float] = {Takes.SOURCE: 0.0, Takes.RECORDING: books.recordings, Takes.PASSAGE: 0.0}
    broken = dict.fromkeys(Takes, 0)
    for stage, kind in zip(books.stages, takes, strict=True):
        if kind is Takes.SOURCE:
            left[stage.stage] = stage.pending
            expected[Takes.RECORDING] += stage.pending
            continue
        broken[kind] += stage.failed  # what failed here no later stage gets
        left[stage.stage] = max(stage.pending, round(expected[kind]) - stage.done - broken[kind])
        if stage.makes == "passage":
            expected[Takes.PASSAGE] = stage.made + left[stage.stage] * stage.made / max(1, stage.done)
    return left


def _paces(store: Store, left: dict[str, int], now: datetime) -> tuple[Pace, ...]:
    query = """SELECT stage, count(*), sum(seconds) FROM results WHERE finished_at > ? AND finished_at <= ?
               GROUP BY stage"""
    since, until = ((now - ago).isoformat(timespec="seconds") for ago in (WINDOW, timedelta()))
    found = {row[0]: (row[1], row[2]) for row in store.connection.execute(query, (since, until))}
    return tuple(_pace(stage, number, *found.get(stage, (0, 0.0))) for stage, number in left.items())


def _pace(stage: str, left: int, items: int, seconds: float) -> Pace:
    window = WINDOW.total_seconds()
    seconds_left = left * window / items if items else (None if left else 0.0)
    return Pace(stage, left, items, round(seconds / window, 3), seconds_left)


def _longest(paces: Sequence[Pace]) -> float | None:
    times = [pace.seconds_left for pace in paces]
    known = [seconds for seconds in times if seconds is not None]
    return max(known, default=0.0) if len(known) == len(times) else None


def _newest_failures(store: Store, marks: Any) -> tuple[Failure, ...]:
    asked: list[Mark] = list(marks)
    which = " OR ".join("(stage = ? AND fingerprint = ?)" for _ in asked)
    values = [value for mark in asked for value in (mark.stage, mark.fingerprint)]
    query = f"SELECT stage, item, error, failed_at FROM failures WHERE {which} ORDER BY failed_at DESC, item LIMIT ?"  # noqa: S608
    takes = {mark.stage: mark.takes for mark in asked}
    rows = store.connection.execute(query, [*values, SHOWN_FAILURES]).fetchall()
    return tuple(Failure(r[0], r[1], r[2], r[3], store.name_of(takes[r[0]], r[1])) for r in rows)


def render(moment: Moment) -> RenderableType:
    """The same for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column, justify in (("stage", "left"), *((name, "right") for name in _COLUMNS)):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for pace, books in zip(moment.paces, moment.status.stages, strict=True):
        sound = f"{pace.hours_an_hour:,.1f} h" if pace.hours_an_hour else "–"
        rest = clock(pace.seconds_left) if pace.seconds_left is not None else "?"
        table.add_row(
            pace.stage, f"{books.done:,}", f"{pace.left:,}", f"{books.failed:,}", f"{pace.items:,}", sound, rest
        )
    lines: list[RenderableType] = [Text(f"{visible(moment.status.workspace)}: {_heading(moment)}"), Text(), table]
    if moment.newest_failures:
        lines += [Text(), Text(f"Newest of {count(moment.status.failed, 'failure')}:")]
        lines += [_failure(failure) for failure in moment.newest_failures]
    return Group(*lines)


_COLUMNS = ("done", "left", "failed", "a minute", "sound an hour", "time left")


def _heading(moment: Moment) -> str:
    if not any(pace.left for pace in moment.paces):
        return "nothing is left to do."
    if moment.quiet_seconds is None or moment.quiet_seconds > WINDOW.total_seconds():
        ago = "yet" if moment.quiet_seconds is None else f"for {clock(moment.quiet_seconds)}"
        return f"no result {ago}. Is a build running?"
    return f"about {clock(moment.seconds_left)} left" if moment.seconds_left is not None else "under way"


def _failure(failure: Failure) -> Any:
    from rich.text import Text

    return Text(f"  {failure.stage}: {visible(failure.name or failure.item)}: {visible(failure.error)}")
