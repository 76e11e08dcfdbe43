"""Publish: resolved passages become a dataset that a stranger can load, trust and cite.

In order: `selection` makes every row and says why the others are none; `plan` settles splits, licences and
leaks; `staging` makes the version whole, shards first, then the small files; a target (`folder`, `hub`) lets it be seen
in one move. Each step can be killed and run again. `verify` loads the result back as a stranger would.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from aramega.config import LabelConfig, PublishConfig
from aramega.locks import hold
from aramega.publish.anonymous import pseudonyms_of
from aramega.publish.folder import FolderTarget
from aramega.publish.formats import FORMATS
from aramega.publish.index import Difference
from aramega.publish.plan import Plan, make_plan
from aramega.publish.row_cache import remove_cache
from aramega.publish.selection import SelectionRules, select_passages
from aramega.publish.splits import SplitAssignments, read_split_assignments
from aramega.publish.staging import Order, Say, difference, stage, stage_format
from aramega.publish.stretch import Inventories
from aramega.publish.targets import Target
from aramega.publish.versions import SPLIT_ASSIGNMENTS, Version
from aramega.publish.withdrawn import all_withdrawn, remember_withdrawn
from aramega.records import AramegaError, NotNow
from aramega.store import Store
from aramega.workspace import WorkspaceFolder, whole_file

__all__ = ["PublishJob", "Published", "Target", "publish"]


@dataclass(frozen=True)
class PublishJob:
    """What is to be published of a workspace, and where to."""

    options: PublishConfig
    labels: LabelConfig
    target: Target
    tag: str = ""
    withdrawn: Path | None = None
    """A list of recordings that leave the set and stay out."""
    format: str = "parquet"
    dry_run: bool = False
    """Only say what would change."""
    say: Say = lambda _: None
    """Is called with a line for each file that is written or sent."""


@dataclass(frozen=True)
class Published:
    """What came of a publication."""

    plan: Plan
    changes: Mapping[str, Difference]
    changed: bool
    """False where the target had all of it already."""


def publish(store: Store, workspace: WorkspaceFolder, job: PublishJob) -> Published:
    """Publish what the workspace holds, or, on a dry run, only say what would change."""
    _check_format(job.format, job.target)
    with _publishing(workspace):
        withdrawn = all_withdrawn(workspace, job.withdrawn)
        job.target.check()
        if not job.dry_run:
            remember_withdrawn(workspace, withdrawn)
        before = job.target.before()
        cache = job.target.scratch / f".aramega-{workspace.root.name}.rows.part"
        try:
            plan = _plan(store, workspace, job, withdrawn, before, cache)
            if job.dry_run:
                return Published(plan, _compare_only(plan, before, job.target.scratch), changed=False)
            return _publish_plan(plan, workspace, job, before)
        finally:
            remove_cache(cache)


def _plan(
    store: Store,
    workspace: WorkspaceFolder,
    job: PublishJob,
    withdrawn: Mapping[str, str],
    before: Version | None,
    cache: Path,
) -> Plan:
    """Select the passages and settle what becomes of each."""
    inventories = _inventories(job.labels, before)
    rules = SelectionRules(job.options, inventories, withdrawn, pseudonyms_of(workspace), job.format)
    selection = select_passages(store, workspace, rules, cache)
    return make_plan(selection, job.options, inventories, _split_assignments(before, workspace), job.format)


def _publish_plan(plan: Plan, workspace: WorkspaceFolder, job: PublishJob, before: Version | None) -> Published:
    """Make the version, and let it be seen."""
    staged = job.target.staging(plan.fingerprint)
    today = datetime.now(timezone.utc).date().isoformat()
    order = Order(job.target.name, job.tag, today, before)
    if job.format == "parquet":
        changes = stage(plan, workspace, staged, order, job.say)
    else:
        changes = stage_format(plan, workspace, staged, order, job.format, job.say)
    changed = job.target.deliver(staged, plan.fingerprint)
    _keep_split_assignments(workspace, plan.assignment.assignments)
    return Published(plan, changes, changed)


def _check_format(format: str, target: Target) -> None:
    formats = ("parquet", *FORMATS)
    if format not in formats:
        near = difflib.get_close_matches(format, formats, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AramegaError(f"--format {format}: there is no such format.{hint} There are: {', '.join(formats)}.")
    if format != "parquet" and not isinstance(target, FolderTarget):
        raise AramegaError(f"--format {format}: goes into a folder (--to); the Hub's own format is parquet.")


def _compare_only(plan: Plan, before: Version | None, scratch: Path) -> Mapping[str, Difference]:
    folder = scratch / ".aramega-dry-run.part"
    try:
        return difference(plan, folder, before)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _inventories(labels: LabelConfig, before: Version | None) -> Inventories:
    """The inventories, in the order they were published in: a class's number is a promise, so new ones go last."""
    published = before.classes if before else {}
    configured = {"dialect": labels.dialects, "emotion": labels.emotions}
    return {kind: tuple(dict.fromkeys([*published.get(kind, ()), *names])) for kind, names in configured.items()}


def _split_assignments(before: Version | None, workspace: WorkspaceFolder) -> SplitAssignments | None:
    """What decided the splits last: where the set is published, else in this workspace."""
    published = before.split_assignments() if before else None
    return published or read_split_assignments(_own(workspace) / SPLIT_ASSIGNMENTS)


def _keep_split_assignments(workspace: WorkspaceFolder, assignments: SplitAssignments) -> None:
    with whole_file(_own(workspace) / SPLIT_ASSIGNMENTS) as part:
        part.write_text(assignments.to_json(), encoding="utf-8")


@contextmanager
def _publishing(workspace: WorkspaceFolder) -> Iterator[None]:
    """Be the only one who publishes from this workspace; the lock goes with the process, however it ends."""
    folder = _own(workspace)
    folder.mkdir(parents=True, exist_ok=True)

    def busy(_: int | None) -> AramegaError:
        return NotNow(
            f"{workspace.root}: someone else is publishing from it. Wait for them, or stop them, then run again."
        )

    with hold(folder / "lock", busy):
        yield


def _own(workspace: WorkspaceFolder) -> Path:
    """What publishing keeps in the workspace."""
    return workspace.root / "publish"
