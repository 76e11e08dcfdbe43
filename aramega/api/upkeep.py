"""What keeps a workspace in order over a year: tidy up, back up, bring files home, merge and split.

Each takes the build's lock where it writes, so that no build works in a folder that is being rearranged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aramega.api.access import Access
from aramega.errors import AramegaError
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    from aramega.maintenance.backup import Backup
    from aramega.maintenance.collect import Collection
    from aramega.maintenance.merge import Merged
    from aramega.maintenance.remote_files import Homecoming


@dataclass(frozen=True)
class Part:
    """One part of a workspace that was split, and what was brought into it; on a dry run only how much it would be."""

    path: Path
    recordings: int
    passages: int
    missing: Sequence[str] = ()
    """Clips that rows name and the workspace does not hold."""


class Upkeep:
    """A workspace's care: `ws.upkeep.backup("/mnt/backup/news")`."""

    def __init__(self, workspace: Access) -> None:
        self._workspace = workspace

    def collect(self, *, outdated: bool = False, dry_run: bool = False) -> Collection:
        """Take away what nothing names; with `outdated`, also drafts made under other options than today's."""
        from aramega.maintenance.collect import collect, find_leftovers, plan_collection
        from aramega.maintenance.remote_files import unnamed_away
        from aramega.pipeline.build import building
        from aramega.remote import remove
        from aramega.store import Store
        from aramega.store.garbage import of_nothing, of_other_options

        folder = self._workspace.existing()
        pipeline = self._workspace.pipeline
        rules = of_nothing()
        if outdated:
            pipeline.check()  # a model's file that is not there looks like another option
            rules += of_other_options(pipeline.stages, pipeline.marks)
        if dry_run:
            with Store.open(folder) as store:
                return plan_collection(store, pipeline, rules)
        leftovers = find_leftovers(folder)
        with building(folder), Store.create_or_open(folder) as store:
            collection = collect(store, pipeline, rules, leftovers)
            if folder.files:
                remove(entry.address for entry in unnamed_away(store, folder))
        return collection

    def backup(self, to: Path, *, frames: bool = True, verify: bool = False, dry_run: bool = False) -> Backup:
        """Copy the workspace as it is now into the folder `to`, even while a build runs; `verify` hashes every clip. A
        dry run looks what would be copied."""
        from aramega.maintenance import backup
        from aramega.maintenance.backup_plan import plan_backup

        if dry_run:
            return plan_backup(self._workspace.existing(), to, extras=("frames",) if frames else ())
        folder = _with_files(self._workspace)
        copied = backup.back_up(folder, to, extras=("frames",) if frames else ())
        if verify:
            backup.verify(to, copied)
        return copied

    def fetch(self, *, frames: bool = False, dry_run: bool = False) -> Homecoming:
        """Bring the clips here that a build keeps at an address; `frames`: the frame tables, too. A dry run lists."""
        from aramega.maintenance.remote_files import bring_home, plan_homecoming

        folder = self._workspace.folder
        with self._workspace.reading() as store:
            if not folder.files:
                raise AramegaError(f"{folder.root}: its files are kept in its folder, and nowhere else.")
            bring = plan_homecoming if dry_run else bring_home
            return bring(store, folder, frames=frames)

    def split(self, prefix: Path, parts: int, *, dry_run: bool = False) -> Iterator[Part]:
        """Share out the recordings over workspaces PREFIX-1, PREFIX-2, …, one after the other."""
        from aramega.maintenance.split import check_part, fill_part, name_parts
        from aramega.pipeline.build import building

        folder = self._workspace.existing() if dry_run else _with_files(self._workspace)
        folders = name_parts(prefix, parts)
        for number, part in enumerate(folders):
            check_part(part, number, parts)
        if dry_run:
            yield from self._plan_parts(folders)
            return
        with _locked(folder, folders[0]):
            for number, part in enumerate(folders):
                with building(part):
                    merged = fill_part(folder, part, number, parts)
                yield Part(part.root, merged.recordings, merged.passages, merged.missing)

    def _plan_parts(self, folders: Sequence[WorkspaceFolder]) -> Iterator[Part]:
        from aramega.maintenance.split import part_of
        from aramega.store.recordings import list_passages, list_recordings

        with self._workspace.reading() as store:
            recordings = [recording.id for recording in list_recordings(store)]
            for number, part in enumerate(folders):
                share = [name for name in recordings if part_of(name, len(folders)) == number]
                yield Part(part.root, len(share), sum(len(list_passages(store, name)) for name in share))


def merge(workspaces: Sequence[Access], into: Path, *, dry_run: bool = False) -> Iterator[Merged]:
    """Bring several workspaces into one, one after the other; run again, it adds nothing. A dry run merges a copy of
    the target's rows, and keeps none of it."""
    from aramega.maintenance.merge import merge as merge_workspace
    from aramega.maintenance.merge_plan import plan_merge
    from aramega.pipeline.build import building

    target = WorkspaceFolder(into.expanduser().absolute())
    if dry_run:
        yield from plan_merge([workspace.existing() for workspace in workspaces], target)
        return
    sources = [_with_files(workspace) for workspace in workspaces]
    with building(target):
        for source in sources:
            with _locked(source, target):
                merged = merge_workspace(source, target)
            yield merged


def _locked(source: WorkspaceFolder, target: WorkspaceFolder) -> AbstractContextManager[None]:
    """Keep builds out of a workspace that is merged; one on a disk that cannot be written to has none."""
    from aramega.pipeline.build import building

    if source.root.resolve() == target.root.resolve() or not os.access(source.root, os.W_OK):
        return nullcontext()
    return building(source)


def _with_files(workspace: Access) -> WorkspaceFolder:
    """The folder with all its clips and frame tables here: copies and parts keep their files to themselves."""
    folder = workspace.existing()
    with workspace.reading(files=True, frames=True):
        return folder
