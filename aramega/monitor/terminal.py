"""Terminal: draws what `status --watch` has read at one moment, for a terminal.

The counts of the database are always shown, queues and workers while a build runs, nodes where it has more than one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from aramega.display import clock, count, number, share, visible
from aramega.monitor.watch import WINDOW, Moment, Pace
from aramega.records import BuildProgress, Failure, NodeProgress, StageProgress

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

AT_WORK = ("building", "unheard")


def render(moment: Moment) -> RenderableType:
    """One moment, ready to be printed or drawn over the last one."""
    from rich.console import Group
    from rich.text import Text

    build = moment.build if moment.build and moment.build.state in AT_WORK else None
    lines: list[RenderableType] = [Text(f"{visible(moment.status.workspace)}: {_heading(moment)}")]
    if moment.build:
        lines.append(Text(_about(moment.build, moment.at)))
    lines += [Text(), _stages(moment, build)]
    if build and len(build.nodes) > 1:
        lines += [Text(), _nodes(build.nodes)]
    if moment.newest_failures:
        lines += [Text(), Text(f"Newest of {count(moment.status.failed, 'failure')}:")]
        lines += [_failure(failure) for failure in moment.newest_failures]
    return Group(*lines)


def _heading(moment: Moment) -> str:
    if not any(pace.left for pace in moment.paces):
        return "nothing is left to do."
    if moment.build and moment.build.state not in AT_WORK:
        return "no build is at work."
    if moment.quiet_seconds is None or moment.quiet_seconds > WINDOW.total_seconds():
        ago = "yet" if moment.quiet_seconds is None else f"for {clock(moment.quiet_seconds)}"
        return f"no result {ago}." if moment.build else f"no result {ago}. Is a build running?"
    return f"about {clock(moment.seconds_left)} left" if moment.seconds_left is not None else "under way"


def _about(build: BuildProgress, now: str) -> str:
    """Who builds, or how the last one ended."""
    driver = f"process {build.pid} on {visible(build.host)}"
    age = clock(_seconds(build.at, now))
    match build.state:
        case "building":
            workers = (
                f"{build.busy:,} of {count(build.workers, 'worker')} busy"
                if build.workers
                else "no worker has come yet"
            )
            return f"Building for {clock(_seconds(build.begun, now))}, {driver}, engine {build.engine}: {workers}."
        case "unheard":
            return f"{driver.capitalize()} builds, and has not been heard of for {age}."
        case "killed":
            return f"The last build was killed: {driver} is gone, last heard of {age} ago."
        case "interrupted" | "crashed":
            return f"The last build was {'interrupted' if build.state == 'interrupted' else 'ended by an error'} {age} ago."
    return f"The last build finished {age} ago."


def _stages(moment: Moment, build: BuildProgress | None) -> Table:
    progress_of = {stage.stage: stage for stage in build.stages} if build else {}
    columns = ("done", "left", "failed", *(("queue", "under way", "workers") if build else ()))
    table = _table("stage", *columns, "a minute", "sound an hour", "time left")
    for pace, counts in zip(moment.paces, moment.status.stages, strict=True):
        now = _now(progress_of.get(pace.stage)) if build else ()
        rest = _time_left(pace, moment.build)
        table.add_row(pace.stage, f"{counts.done:,}", f"{pace.left:,}", f"{counts.failed:,}", *now, *_pace(pace), rest)
    return table


def _now(stage: StageProgress | None) -> tuple[str, str, str]:
    if stage is None:  # not one that this build is to do
        return "–", "–", "–"
    workers = f"{stage.busy:,}" if stage.busy == stage.workers else f"{stage.busy:,} of {stage.workers:,}"
    steps = f" ({stage.steps_done:,} of {stage.steps:,} {stage.step_unit})" if stage.steps else ""
    return f"{stage.waiting:,}", f"{stage.under_way:,}{steps}", workers


def _pace(pace: Pace) -> tuple[str, str]:
    sound = f"{pace.hours_an_hour:,.1f} h" if pace.hours_an_hour else "–"
    return number(pace.items_a_minute, 0 if pace.items_a_minute >= 10 or not pace.items else 1), sound


def _time_left(pace: Pace, build: BuildProgress | None) -> str:
    if pace.left and build and build.state not in AT_WORK:
        return "–"  # nobody does it
    return clock(pace.seconds_left) if pace.seconds_left is not None else "?"


def _nodes(nodes: tuple[NodeProgress, ...]) -> Table:
    stages = list(dict.fromkeys(work.stage for node in nodes for work in node.work))
    table = _table("node", "workers", "busy", *stages)
    for node in nodes:
        done = {work.stage: work.done for work in node.work}
        name = visible(node.node) or "(not known yet)"
        table.add_row(name, f"{node.workers:,}", share(node.busy_share, 1), *(f"{done.get(s, 0):,}" for s in stages))
    return table


def _table(first: str, *others: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _failure(failure: Failure) -> Any:
    from rich.text import Text

    return Text(f"  {failure.stage}: {visible(failure.name or failure.item)}: {visible(failure.error)}")


def _seconds(since: str, until: str) -> float:
    return max(0.0, (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds())
