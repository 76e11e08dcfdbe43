"""How a build looks while it runs: bars on a terminal, plain lines elsewhere, JSON for machines."""

from __future__ import annotations

import json
import shlex
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aramega.display import clock, count, visible
from aramega.stages.names import INGEST

if TYPE_CHECKING:
    from aramega.engine import WorkerStatus
    from aramega.pipeline.build import Summary
    from aramega.pipeline.plan import Progress


_SHOWN_NOTES = 20


class Show(ABC):
    """Told of a build's start, its news and its end."""

    def start(self, to_ingest: Mapping[str, int]) -> None:  # noqa: B027  not every show has a beginning
        """`to_ingest`: the bytes of each file that is still to be opened."""

    def notes(self, notes: Sequence[str]) -> None:  # noqa: B027  and not every one tells what is no failure
        """What is no failure and should be known."""

    @abstractmethod
    def news(self, batch: Sequence[Progress]) -> None: ...

    def look(self, workers: Sequence[WorkerStatus]) -> None:  # noqa: B027  not every show has room for it
        """About once a second: what the workers are at."""

    def stop(self) -> None:  # noqa: B027  or an end
        """The build has ended, well or not."""

    @abstractmethod
    def summary(self, summary: Summary) -> None: ...


def make_show(*, quiet: bool, as_json: bool) -> Show:
    if as_json:
        return JsonLines()
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()


class Quiet(Show):
    """Only what went wrong."""

    def news(self, batch: Sequence[Progress]) -> None:
        for one in batch:
            if one.stopped:
                print(f"{one.stage} stopped: {one.error}", file=sys.stderr)
            elif one.error:
                print(f"{one.stage} failed: {visible(one.name)}: {one.error}", file=sys.stderr)

    def summary(self, summary: Summary) -> None:
        pass


class Lines(Quiet):
    """A line for each recording opened and each failure; the rest in the summary."""

    def __init__(self) -> None:
        self._pace = Pace({})

    def start(self, to_ingest: Mapping[str, int]) -> None:
        self._pace = Pace(to_ingest)

    def notes(self, notes: Sequence[str]) -> None:
        for note in notes[:_SHOWN_NOTES]:
            print(f"note: {visible(note)}", file=sys.stderr)
        if len(notes) > _SHOWN_NOTES:
            print(f"note: … and {len(notes) - _SHOWN_NOTES:,} more of the kind", file=sys.stderr)

    def news(self, batch: Sequence[Progress]) -> None:
        super().news(batch)
        for one in batch:
            self._pace.note(one)
            if one.stage == INGEST and not one.error:
                print(f"{visible(one.name)}: {clock(one.seconds)} ({self._pace})", file=sys.stderr)

    def summary(self, summary: Summary) -> None:
        for failure in summary.failures:
            print(f"failed: {visible(failure.name)}: {failure.error} [{failure.stage}]")
        if summary.failed > len(summary.failures):
            print(
                f"… and {summary.failed - len(summary.failures)} more; `aramega status {shlex.quote(summary.workspace)}` lists them."
            )
        print(
            f"{count(summary.recordings, 'recording')}, {summary.hours:.2f} h in; {count(summary.passages, 'passage')}, "
            f"{summary.passage_hours:.2f} h kept; {summary.failed} failed; {summary.took:.1f} s."
        )
        if summary.drafted:
            decided = ", ".join(f"{number:,} {decision}" for decision, number in summary.decisions.items())
            print(f"{count(summary.drafted, 'draft')}{f': {decided}' if decided else ''}.")
        if summary.left:
            left = ", ".join(f"{stage} {number:,}" for stage, number in summary.left.items())
            print(f"Left for another run: {left}.")
        print(f"Look: aramega report {shlex.quote(summary.workspace)}")


class Bars(Lines):
    """One bar for what is opened, by bytes, with hours done, speed and time left.

    Drawn by hand after each batch rather than by a thread: the driver forks workers, and must stay alone.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        super().__init__()
        self._console = Console(stderr=True)
        self._steps = ""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[pace]}"))
        self._bars = Progress(*columns, console=self._console, auto_refresh=False)

    def start(self, to_ingest: Mapping[str, int]) -> None:
        super().start(to_ingest)
        self._bar = self._bars.add_task("recordings", total=max(1, sum(to_ingest.values())), pace="")
        self._bars.start()

    def news(self, batch: Sequence[Progress]) -> None:
        for one in batch:
            self._pace.note(one)
            if one.error:
                what, name = ("stopped", "") if one.stopped else ("failed", f"{visible(one.name)}: ")
                self._console.print(f"[red]{one.stage} {what}[/]: ", end="")
                self._console.print(f"{name}{one.error}", markup=False, highlight=False)
        self._draw()

    def look(self, workers: Sequence[WorkerStatus]) -> None:
        steps = [worker.step for worker in workers if worker.step]
        done, of = sum(step.done for step in steps), sum(step.of for step in steps)
        self._steps = f", {done:,} of {of:,} {steps[0].unit} under way" if steps else ""
        self._draw()

    def _draw(self) -> None:
        pace = f"{self._pace}{self._steps}"
        self._bars.update(self._bar, completed=self._pace.bytes_done, pace=pace, refresh=True)

    def stop(self) -> None:
        self._bars.stop()


class JsonLines(Show):
    """One object a line: {"event": "note" | "start" | "done" | "failed" | "summary", …}."""

    def start(self, to_ingest: Mapping[str, int]) -> None:
        self._say("start", {"files": len(to_ingest), "bytes": sum(to_ingest.values())})

    def news(self, batch: Sequence[Progress]) -> None:
        for one in batch:
            fields = {k: v for k, v in asdict(one).items() if k not in ("error", "stopped") or v}
            self._say("stopped" if one.stopped else "failed" if one.error else "done", fields)

    def notes(self, notes: Sequence[str]) -> None:
        for note in notes:
            self._say("note", {"text": note})

    def summary(self, summary: Summary) -> None:
        self._say("summary", asdict(summary))

    def _say(self, event: str, fields: Mapping[str, Any]) -> None:
        print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


class Pace:
    """Hours done, how many times faster than they sound, and how long the rest will take at that."""

    def __init__(self, to_ingest: Mapping[str, int]) -> None:
        self._sizes = to_ingest
        self._begun = time.monotonic()
        self._hours = 0.0
        self._done: dict[str, int] = {}
        self.bytes_done = 0

    def note(self, news: Progress) -> None:
        if news.stopped:
            return
        self._done[news.stage] = self._done.get(news.stage, 0) + 1
        if news.stage == INGEST:
            self._hours += news.seconds / 3600
            self.bytes_done += self._sizes.get(news.item, 0)

    def __str__(self) -> str:
        elapsed = max(1e-6, time.monotonic() - self._begun)
        if INGEST not in self._done:  # new options for what was opened before
            return ", ".join(f"{stage}: {number}" for stage, number in self._done.items()) + f" in {clock(elapsed)}"
        text = f"{self._hours:.2f} h done, {self._hours * 3600 / elapsed:.0f} × real time"
        left = sum(self._sizes.values()) - self.bytes_done
        if self.bytes_done and left > 0:
            text += f", {clock(left / self.bytes_done * elapsed)} left"
        return text
