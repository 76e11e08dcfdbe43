"""Status: reads from the workspace's database what is done, what is left, what failed and why.

Everything comes from `results` and `failures`, one row an item and stage, and never from the segments
themselves; so the answer takes no longer for a million of them.
"""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aramega.display import amount, clock, count, visible
from aramega.monitor.failures import Reason, WithoutPassages, find_without_passages, group_failures
from aramega.monitor.notes import Note, gather_notes
from aramega.pipeline import Pipeline
from aramega.stages.base import Stage, Takes
from aramega.stages.names import CHECK, PASSAGES, TRANSCRIBE
from aramega.store import Store
from aramega.store.pending import count_pending_items
from aramega.store.recordings import count_recordings
from aramega.store.results import tally_results
from aramega.store.summaries import count_failed, count_outdated, count_sources, sum_ingested

SHOWN_NAMES = 5
"""Names per reason, and recordings without passages, that fit a terminal; --json and the report have more."""

_JSON_NAMES = {"made_count": "made", "without_passages_count": "barren_count", "without_passages": "barren"}


@dataclass(frozen=True)
class StageStatus:
    """What is done, left and failed in one stage, under the current configuration."""

    stage: str
    done: int
    """Items done: files for ingest, then recordings, then passages."""
    pending: int
    """Items that could be done now; those a former stage still owes are not counted."""
    failed: int
    outdated: int
    """Items done under another configuration; a build does them again."""
    made_count: int
    makes: str
    """What is made, in the singular: recording, segment, passage, transcript, …"""
    hours: float


@dataclass(frozen=True)
class Step:
    """Something worth doing next: why, and the command."""

    why: str
    command: str


@dataclass(frozen=True)
class Status:
    """Where a build stands."""

    workspace: str
    files: int
    recordings: int
    hours: float
    """Of all recordings, each counted once."""
    stages: tuple[StageStatus, ...]
    reasons: tuple[Reason, ...]
    """Failures by reason, the first items of each."""
    without_passages_count: int
    without_passages: tuple[WithoutPassages, ...]
    """Recordings that gave no passage, longest first."""
    notes: tuple[Note, ...]
    """What is no failure and should be known."""
    next_steps: tuple[Step, ...]

    @property
    def failed(self) -> int:
        return sum(s.failed for s in self.stages)

    @property
    def pending(self) -> int:
        return sum(s.pending for s in self.stages)

    @property
    def outdated(self) -> int:
        return max((s.outdated for s in self.stages), default=0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json, under the names that --json has had from its first day."""
        plain = {_JSON_NAMES.get(name, name): value for name, value in asdict(self).items()}
        plain["stages"] = [
            {_JSON_NAMES.get(name, name): value for name, value in asdict(stage).items()} for stage in self.stages
        ]
        return plain


def status(store: Store, pipeline: Pipeline) -> Status:
    """Read from the database where the build stands."""
    files = count_sources(store)
    recordings, seconds = count_recordings(store)
    stages = tuple(stage_status(store, pipeline, stage) for stage in pipeline.stages)
    without_passages_count, without_passages = find_without_passages(store, pipeline.config, pipeline.marks[PASSAGES])
    root = pipeline.workspace.root
    return Status(
        workspace=str(root),
        files=files,
        recordings=recordings,
        hours=seconds / 3600,
        stages=stages,
        reasons=group_failures(store, pipeline.marks.values()),
        without_passages_count=without_passages_count,
        without_passages=without_passages,
        notes=gather_notes(store),
        next_steps=plan_next_steps(root, files, stages),
    )


def stage_status(store: Store, pipeline: Pipeline, stage: Stage[Any]) -> StageStatus:
    """Count one stage's items in the database."""
    mark, needed = pipeline.needs(stage)
    tally = tally_results(store, mark)
    made_count, seconds = (
        sum_ingested(store, mark) if stage.takes is Takes.SOURCE else (int(tally["made"]), tally["seconds"])
    )
    return StageStatus(
        stage=stage.name,
        done=int(tally["done"]),
        pending=count_pending_items(store, mark, needed),
        failed=count_failed(store, mark),
        outdated=count_outdated(store, mark),
        made_count=made_count,
        makes=stage.counts,
        hours=seconds / 3600,
    )


def plan_next_steps(root: Path, files: int, stages: tuple[StageStatus, ...]) -> tuple[Step, ...]:
    """The commands that bring this workspace forward, the most useful first."""
    place = shlex.quote(str(root))
    build = f"aramega build-ssum --workspace {place}"
    steps = []
    if not files:
        return (
            Step(
                "Name the recordings: files, a folder, a glob or a manifest.",
                f"aramega build-ssum FOLDER --workspace {place}",
            ),
        )
    if any(s.pending for s in stages):
        steps.append(Step("Go on with what is left.", build))
    if any(s.failed for s in stages):
        steps.append(Step("When the causes of the failures are mended, try those again.", f"{build} --retry-failed"))
    made_by_stage = {s.stage: s.made_count for s in stages}
    if made_by_stage[PASSAGES] and TRANSCRIBE not in made_by_stage:
        steps.append(Step("Draft transcripts and summaries.", f"{build} --asr-model large-v3-turbo"))
    if made_by_stage.get(CHECK):
        steps.append(Step("Have people correct the drafts, in Label Studio.", f"aramega review push {place}"))
        steps.append(Step("See what would be published.", f"aramega publish {place} --to dataset --dry-run"))
    if made_by_stage[PASSAGES]:
        steps.append(Step("Hand the passages to other tools.", f"aramega export {place} --format jsonl"))
        steps.append(
            Step("Add more recordings; what is done stays done.", f"aramega build-ssum FOLDER --workspace {place}")
        )
    return tuple(steps)


def render_status(status: Status) -> str:
    """The same in plain text, for a terminal."""
    lines = [f"{visible(status.workspace)}: {_sums(status)}", "", *_table(status)]
    if status.outdated:
        lines += ["", f"Made under another configuration, to be done again: {count(status.outdated, 'item')}."]
    if status.reasons:
        lines += ["", f"Failed: {status.failed:,}"]
        lines += [line for reason in status.reasons for line in _reason_lines(reason)]
    if status.without_passages:
        lines += ["", f"No passage came of {count(status.without_passages_count, 'recording')}:"]
        lines += [f"  {visible(b.name)} ({clock(b.seconds)}): {b.why}" for b in status.without_passages[:SHOWN_NAMES]]
        lines += _and_more(status.without_passages_count - SHOWN_NAMES, "  ")
    if status.notes:
        lines += ["", "Worth knowing:"]
        lines += [line for note in status.notes[:SHOWN_NAMES] for line in _note_lines(note)]
        lines += _and_more(len(status.notes) - SHOWN_NAMES, "  ")
    if status.next_steps:
        lines += ["", "Next:"]
        for step in status.next_steps:
            lines += [f"  {step.why}", f"    {step.command}"]
    return "\n".join(lines)


def _sums(status: Status) -> str:
    if not status.files:
        return "nothing in it yet"
    return f"{count(status.files, 'file')}, {count(status.recordings, 'recording')}, {amount(status.hours * 3600)} of sound"


def _table(status: Status) -> list[str]:
    head = ("stage", "done", "pending", "failed", "made", "sound")
    rows = [
        (
            s.stage,
            f"{s.done:,}",
            f"{s.pending:,}",
            f"{s.failed:,}",
            count(s.made_count, s.makes),
            amount(s.hours * 3600),
        )
        for s in status.stages
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return ["  ".join(_cell(text, i, widths[i]) for i, text in enumerate(row)).rstrip() for row in (head, *rows)]


def _cell(text: str, column: int, width: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _reason_lines(reason: Reason) -> list[str]:
    lines = [f"  {reason.stage}, {reason.count:,} ×: {visible(reason.error)}"]
    lines += [f"      {visible(failure.item)}" for failure in reason.examples[:SHOWN_NAMES]]
    return lines + _and_more(reason.count - SHOWN_NAMES, "      ")


def _note_lines(note: Note) -> list[str]:
    names = ", ".join(visible(name) for name in note.names[:SHOWN_NAMES])
    more = f" and {note.count - SHOWN_NAMES:,} more" if note.count > SHOWN_NAMES else ""
    return [f"  {visible(note.text)}", f"      {names}{more}"]


def _and_more(number: int, indent: str) -> list[str]:
    return [f"{indent}and {number:,} more"] if number > 0 else []
