"""A merge, planned: what each workspace would bring. The rows are really merged, into a copy of the target's database in
a temporary folder; clips and frames are only looked for. So a plan needs room for that copy, and changes nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aramega.maintenance.link_or_copy import How, is_same
from aramega.maintenance.merge import Merged, merge
from aramega.maintenance.small_files import find_papers
from aramega.records import AramegaError
from aramega.store import Store
from aramega.workspace import WorkspaceFolder


def plan_merge(sources: Sequence[WorkspaceFolder], target: WorkspaceFolder) -> Iterator[Merged]:
    """What `merge` would give for each of the sources, one after the other."""
    with _copy_without_files(target) as copy:
        files = _PlannedFiles(copy, target)
        for source in sources:
            if source.root.resolve() == target.root.resolve():
                raise AramegaError(f"{source.root}: cannot be merged into itself.")
            yield merge(source, copy, carry=files.carry)


@contextmanager
def _copy_without_files(workspace: WorkspaceFolder) -> Iterator[WorkspaceFolder]:
    """The workspace's rows and small files, in a folder that is gone afterwards."""
    with TemporaryDirectory(prefix="aramega-merge-") as folder:
        copy = WorkspaceFolder(Path(folder))
        if workspace.database.exists():
            with Store.open(workspace) as store:
                store.copy_to(copy.database)
        for paper in find_papers(workspace) if workspace.root.exists() else ():
            (copy.root / paper).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(workspace.root / paper, copy.root / paper)
        yield copy


class _PlannedFiles:
    """Says how each file would come to the target, and brings none."""

    def __init__(self, copy: WorkspaceFolder, target: WorkspaceFolder) -> None:
        self._copy, self._target = copy, target
        self._brought: set[Path] = set()
        nearest = next(folder for folder in (target.root, *target.root.parents) if folder.exists())
        self._device = nearest.stat().st_dev

    def carry(self, source: Path, target: Path) -> How:
        place = self._target.root / target.relative_to(self._copy.root)
        device = source.stat().st_dev  # raises where there is no such file, as carrying does
        if place in self._brought or is_same(source, place):
            return "there"
        self._brought.add(place)
        return "linked" if device == self._device else "copied"
