"""A backup, planned: what it would hold, and what would be linked and copied. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from aramega.maintenance.backup import Backup, check_places
from aramega.maintenance.link_or_copy import is_same
from aramega.maintenance.references import frame_paths, named_clips
from aramega.store import Store
from aramega.store.recordings import recording_ids
from aramega.store.unpulled import find_unpulled
from aramega.workspace import WorkspaceFolder


def plan_backup(workspace: WorkspaceFolder, to: Path, extras: Sequence[str] = ("frames",)) -> Backup:
    """What `back_up` would make of the workspace as it is now; clips are looked for, and not hashed."""
    to = to.absolute()
    check_places(workspace, to)
    plan = Backup()
    with Store.open(workspace) as store, store.snapshot():
        for clip in named_clips(store, workspace):
            if (workspace.root / clip.path).exists():
                plan.clips += 1
                _count(workspace.root / clip.path, to / clip.path, plan)
            elif clip.sha256 and not workspace.files:  # a backup brings those of an address first
                plan.missing.append(clip.path)
        for path in _frames(store, workspace) if "frames" in extras else ():
            plan.frames += path.endswith(".npz")
            _count(workspace.root / path, to / path, plan)
        plan.unpulled = find_unpulled(store)
    return plan


def _frames(store: Store, workspace: WorkspaceFolder) -> Iterator[str]:
    for recording in recording_ids(store):
        yield from (path for path in frame_paths(workspace, recording) if (workspace.root / path).exists())


def _count(source: Path, target: Path, plan: Backup) -> None:
    is_there = is_same(source, target)
    can_link = source.resolve().stat().st_dev == _nearest(target).stat().st_dev
    plan.bytes += source.stat().st_size
    plan.unchanged += is_there
    plan.linked += not is_there and can_link
    plan.copied += not is_there and not can_link


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(above for above in (path, *path.parents) if above.exists())
