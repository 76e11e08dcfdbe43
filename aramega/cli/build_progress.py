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

from aramega.api.building import BuildListener
from aramega.cli.output import note
from aramega.display import clock, count, visible
from aramega.stages.names import INGEST

if TYPE_CHECKING:
    from aramega.api.building import BuildPlan
    from aramega.config import Config
    from aramega.engine import WorkerStatus
    from aramega.pipeline.build import Summary
    from aramega.pipeline.plan import Progress


_SHOWN_NOTES = 20


class BuildDisplay(BuildListener, ABC):
    """Shows a build's start, its news and its end."""

    def note(self, text: str) -> None:
        note(text)

    @abstractmethod
    def summary(self, summary: Summary) -> None:
        """What came of it."""


def make_display(*, quiet: bool, as_json: bool) -> BuildDisplay:
    if as_json:
        return JsonLines()
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()


class Quiet(BuildDisplay):
    """Only what went wrong."""

    def news(self, batch: Sequence[Progress]) -> None:
        for item in batch:
            if item.stopped:
                print(f"{item.stage} stopped: {item.error}", file=sys.stderr)
            elif item.error:
                print(f"{item.stage} failed: {visible(item.name)}: {item.error}", file=sys.stderr)

    def summary(self, summary: Summary) -> None:
        pass


class Lines(Quiet):
    """A line for each recording opened and each failure; the rest in the summary."""

    def __init__(self) -> None:
        self._pace = Pace({})

    def start(self, to_ingest: Mapping[str, int]) -> None:
        self._pace = Pace(to_ingest)

    def notes(self, notes: Sequence[str]) -> None:
        for line in notes[:_SHOWN_NOTES]:
            print(f"note: {visible(line)}", file=sys.stderr)
        if len(notes) > _SHOWN_NOTES:
            print(f"note: … and {len(notes) - _SHOWN_NOTES:,} more of the kind", file=sys.stderr)

    def metrics_at(self, url: str) -> None:
        print(f"metrics: {url}", file=sys.stderr)

    def news(self, batch: Sequence[Progress]) -> None:
        super().news(batch)
        for item in batch:
            self._pace.note(item)
            if item.stage == INGEST and not item.error:
                print(f"{visible(item.name)}: {clock(item.seconds)} ({self._pace})", file=sys.stderr)

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
        for item in batch:
            self._pace.note(item)
            if item.error:
                what, name = ("stopped", "") if item.stopped else ("failed", f"{visible(item.name)}: ")
                self._console.print(f"[red]{item.stage} {what}[/]: ", end="")
                self._console.print(f"{name}{item.error}", markup=False, highlight=False)
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


class JsonLines(BuildDisplay):
    """One object a line: {"event": "note" | "start" | "done" | "failed" | "summary", …}."""

    def start(self, to_ingest: Mapping[str, int]) -> None:
        self._print("start", {"files": len(to_ingest), "bytes": sum(to_ingest.values())})

    def news(self, batch: Sequence[Progress]) -> None:
        for item in batch:
            fields = {k: v for k, v in asdict(item).items() if k not in ("error", "stopped") or v}
            self._print("stopped" if item.stopped else "failed" if item.error else "done", fields)

    def notes(self, notes: Sequence[str]) -> None:
        for line in notes:
            self._print("note", {"text": line})

    def metrics_at(self, url: str) -> None:
        print(f"metrics: {url}", file=sys.stderr)

    def summary(self, summary: Summary) -> None:
        self._print("summary", asdict(summary))

    def _print(self, event: str, fields: Mapping[str, Any]) -> None:
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


def show_plan(plan: BuildPlan, config: Config) -> None:
    """What a build would do, stage by stage, and what its summaries would cost."""
    if plan.named:
        print(f"{plan.files:,} files named")
    if not plan.ready:
        print("nothing is built yet; what summaries cost is known once there are transcripts.")
    for stage, number in plan.ready.items():
        print(f"{stage}: {number:,} ready to be done")
    if plan.estimate is None:
        return
    prices = config.summarize.price_in or config.summarize.price_out
    cost = f", {plan.estimate.cost:.2f} by the prices given" if prices else ""
    print(
        f"summaries of what is transcribed: {plan.estimate.requests:,} requests, about {plan.estimate.prompt_tokens:,} "
        f"tokens to read and {plan.estimate.completion_tokens:,} to write{cost}"
    )
