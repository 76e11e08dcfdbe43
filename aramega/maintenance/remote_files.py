"""Away: a workspace's files that are kept at an address, brought home, and there taken away when nothing names them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from aramega.maintenance.references import frame_paths, is_unnamed, named_clips
from aramega.remote import RemoteFile, find_files
from aramega.store import Store
from aramega.store.recordings import recording_ids
from aramega.workspace import WorkspaceFolder

_AT_ONCE = 16
"""A store answers many as fast as one."""


@dataclass
class Homecoming:
    """What was brought."""

    brought: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    """What rows name and the address does not hold."""


def bring_home(store: Store, workspace: WorkspaceFolder, *, frames: bool = False) -> Homecoming:
    """Fetch every clip that a row names and this folder does not hold; `frames`: the frame tables, too."""
    result, wanted = Homecoming(), _wanted(store, workspace, frames)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        came = pool.map(lambda path: workspace.bring(workspace.root / path), wanted)
        for path, is_here in zip(wanted, came, strict=True):
            if is_here:
                result.brought += 1
                result.bytes += (workspace.root / path).stat().st_size
            else:
                result.missing.append(path)
    return result


def plan_homecoming(store: Store, workspace: WorkspaceFolder, *, frames: bool = False) -> Homecoming:
    """What `bring_home` would fetch, by what the address lists; nothing is fetched."""
    result, wanted = Homecoming(), _wanted(store, workspace, frames)
    folders = sorted({path.partition("/")[0] for path in wanted})
    listed = {entry.address: entry.size for f in folders for entry in find_files(f"{workspace.files}/{f}")}
    for path in wanted:
        size = listed.get(f"{workspace.files}/{path}")
        if size is None:
            result.missing.append(path)
        else:
            result.brought += 1
            result.bytes += size
    return result


def unnamed_away(store: Store, workspace: WorkspaceFolder) -> list[RemoteFile]:
    """The clips and frame tables at the address that no row names."""
    return [
        entry
        for folder in ("clips", "frames")
        for entry in find_files(f"{workspace.files}/{folder}")
        if is_unnamed(store, folder, PurePosixPath(entry.address).name)
    ]


def _wanted(store: Store, workspace: WorkspaceFolder, frames: bool) -> list[str]:
    """The files that rows name and this folder does not hold."""
    return [path for path in _named(store, workspace, frames) if not (workspace.root / path).exists()]


def _named(store: Store, workspace: WorkspaceFolder, frames: bool) -> Iterator[str]:
    for clip in named_clips(store, workspace):
        yield clip.path
    if frames:
        for recording in recording_ids(store):
            yield from frame_paths(workspace, recording)
