"""Publish: resolved passages become a dataset that a stranger can load, trust and cite.

In order: `survey` makes every row and says why the others are none; `plan` settles splits, licences and
leaks; `staging` makes the version whole, shards then papers; a target (`folder`, `hub`) lets it be seen in
one move. Each step can be killed and run again. `verify` loads the result back as a stranger would.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from aramega.config import LabelConfig, PublishConfig
from aramega.locks import hold
from aramega.publish.anonymous import pseudonyms_of
from aramega.publish.folder import FolderTarget
from aramega.publish.formats import FORMATS
from aramega.publish.index import Difference
from aramega.publish.plan import Plan, make_plan
from aramega.publish.splits import Book, read_book
from aramega.publish.staging import Order, Say, difference, stage, stage_format
from aramega.publish.stretch import Inventories
from aramega.publish.survey import survey
from aramega.publish.versions import BOOK, Version
from aramega.publish.withdrawn import all_withdrawn, remember_withdrawn
from aramega.records import AramegaError
from aramega.store import Store
from aramega.workspace import WorkspaceFolder, whole_file

__all__ = ["Published", "Target", "publish"]


class Target(Protocol):
    """Where a version is published."""

    @property
    def name(self) -> str:
        """What people load it by."""

    @property
    def link(self) -> str:
        """Where to look at what was published, if that is not its name."""

    @property
    def scratch(self) -> Path:
        """A folder on the disk where versions are staged."""

    def check(self) -> None:
        """Raise for whatever would keep us from publishing there, before any work is done."""

    def before(self) -> Version | None:
        """The version that is there now."""

    def published(self) -> Version:
        """The version that is there after a delivery."""

    def staging(self, fingerprint: str) -> Path:
        """Where a version is made before it can be seen; raises if it could not be seen there under its name."""

    def deliver(self, staged: Path, fingerprint: str) -> bool:
        """Let the staged version be seen; whether that changed anything."""


@dataclass(frozen=True)
class Published:
    """What came of a publication."""

    plan: Plan
    changes: Mapping[str, Difference]
    changed: bool
    """False where the target had all of it already."""


def publish(
    store: Store,
    workspace: WorkspaceFolder,
    options: PublishConfig,
    labels: LabelConfig,
    target: Target,
    *,
    tag: str = "",
    withdrawn: Path | None = None,
    format: str = "parquet",
    dry_run: bool = False,
    say: Say = lambda _: None,
) -> Published:
    """Publish what the workspace holds, or, on a dry run, only say what would change."""
    _check_format(format, target)
    with _publishing(workspace):
        gone = all_withdrawn(workspace, withdrawn)
        target.check()
        if not dry_run:
            remember_withdrawn(workspace, gone)
        before = target.before()
        spool = target.scratch / f".aramega-{workspace.root.name}.rows.part"
        try:
            names = pseudonyms_of(workspace)
            classes = _classes(labels, before)
            found = survey(store, workspace, options, classes, spool, withdrawn=gone, names=names)
            plan = make_plan(found, options, classes, _book(before, workspace), format)
            if dry_run:
                return Published(plan, _compare_only(plan, before, target.scratch), changed=False)
            staged = target.staging(plan.fingerprint)
            today = datetime.now(timezone.utc).date().isoformat()
            order = Order(target.name, tag, today, before)
            if format == "parquet":
                changes = stage(plan, workspace, staged, order, say)
            else:
                changes = stage_format(plan, store, workspace, staged, order, format, say)
            changed = target.deliver(staged, plan.fingerprint)
            _keep_book(workspace, plan.assignment.book)
            return Published(plan, changes, changed)
        finally:
            spool.unlink(missing_ok=True)


def _check_format(format: str, target: Target) -> None:
    known = ("parquet", *FORMATS)
    if format not in known:
        near = difflib.get_close_matches(format, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise AramegaError(f"--format {format}: there is no such format.{hint} There are: {', '.join(known)}.")
    if format != "parquet" and not isinstance(target, FolderTarget):
        raise AramegaError(f"--format {format}: goes into a folder (--to); the Hub's own format is parquet.")


def _compare_only(plan: Plan, before: Version | None, scratch: Path) -> Mapping[str, Difference]:
    folder = scratch / ".aramega-dry-run.part"
    try:
        return difference(plan, folder, before)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _classes(labels: LabelConfig, before: Version | None) -> Inventories:
    """The inventories, in the order they were published in: a class's number is a promise, so new ones go last."""
    known = before.classes if before else {}
    now = {"dialect": labels.dialects, "emotion": labels.emotions}
    return {kind: tuple(dict.fromkeys([*known.get(kind, ()), *names])) for kind, names in now.items()}


def _book(before: Version | None, workspace: WorkspaceFolder) -> Book | None:
    """What decided the splits last: where the set is published, else in this workspace."""
    return (before.book() if before else None) or read_book(_own(workspace) / BOOK)


def _keep_book(workspace: WorkspaceFolder, book: Book) -> None:
    with whole_file(_own(workspace) / BOOK) as part:
        part.write_text(book.to_json(), encoding="utf-8")


@contextmanager
def _publishing(workspace: WorkspaceFolder) -> Iterator[None]:
    """Be the only one who publishes from this workspace; the lock goes with the process, however it ends."""
    folder = _own(workspace)
    folder.mkdir(parents=True, exist_ok=True)

    def busy(_: int | None) -> AramegaError:
        return AramegaError(
            f"{workspace.root}: someone else is publishing from it. Wait for them, or stop them, then run again."
        )

    with hold(folder / "lock", busy):
        yield


def _own(workspace: WorkspaceFolder) -> Path:
    """What publishing keeps in the workspace."""
    return workspace.root / "publish"
