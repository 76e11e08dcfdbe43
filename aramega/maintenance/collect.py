"""Collect: take away what nothing in the workspace names any more.

Passages cut otherwise, a recording that is no more, a killed build: each leaves clips, frames, drafts and books
behind that a build never looks at again, unless the curator goes back to the options of before. Drafts that only
another option made outdated are a different matter: a model's file on a disk that is not mounted looks like another
option, and what it made took weeks. So they are rules of their own, which the caller must ask for.

Only files under names that we give are looked at, so whatever a person put into the folders stays. What people
have worked on stays, too, with its clip and draft, even where its passage is gone. Rows go first, in one
transaction, files after: killed in between, the next run takes the files. SQLite keeps the room of deleted rows
for new ones; the database file does not shrink.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aramega.maintenance.references import files_below, is_unnamed
from aramega.pipeline import Pipeline
from aramega.store import Store
from aramega.store.clips import list_clips, list_lost_passages
from aramega.store.garbage import Rule, count_outdated, count_rows, delete_rows
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True)
class Garbage:
    """A file that nothing names, or that a killed build left."""

    kind: str
    """clip, preview, frames, samples or leftover."""
    path: Path
    bytes: int
    """What its removal gives back: nothing where a backup or another workspace holds the same file as a link."""


@dataclass(frozen=True)
class Collection:
    """What was taken away, or would be."""

    files: tuple[Garbage, ...]
    rows: Mapping[str, int]
    """How many of each table, where there are any."""
    in_hands: int
    """Passages whose row is gone and whose clip and draft stay, since people have worked on them."""
    outdated: int
    """Results that were made under other options than today's and are there to go back to."""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """How many files of each kind, and their bytes."""
        kinds = dict.fromkeys(file.kind for file in self.files)
        sizes = {kind: [file.bytes for file in self.files if file.kind == kind] for kind in kinds}
        return {kind: (len(of_kind), sum(of_kind)) for kind, of_kind in sizes.items()}


def plan_collection(store: Store, pipeline: Pipeline, rules: Sequence[Rule]) -> Collection:
    """What `collect` would take away."""
    with store.snapshot():
        rows = count_rows(store, rules)
        files = [*find_leftovers(pipeline.workspace), *_garbage(store, pipeline.workspace)]
        return _collection(store, pipeline, files, rows)


def collect(store: Store, pipeline: Pipeline, rules: Sequence[Rule], leftovers: Sequence[Garbage] = ()) -> Collection:
    """Take away the rows that `rules` name, then every file that no row names. Hold `building` around it, which has
    taken the `leftovers`."""
    rows = delete_rows(store, rules)
    with store.snapshot():
        files = list(_garbage(store, pipeline.workspace))
        for file in files:
            file.path.unlink(missing_ok=True)
        _drop_empty_folders(pipeline.workspace, files)
        return _collection(store, pipeline, [*leftovers, *files], rows)


def find_leftovers(workspace: WorkspaceFolder) -> list[Garbage]:
    """What a killed build left half written; whoever takes the build lock removes it first of all."""
    folders = [workspace.root / name for name in ("frames", "scratch", "clips")]
    return [_file("leftover", path) for folder in folders for path in files_below(folder) if path.suffix == ".part"]


def _garbage(store: Store, workspace: WorkspaceFolder) -> Iterator[Garbage]:
    """The files under names of ours that no row names."""
    unnamed = dict.fromkeys(_unnamed(store, workspace, "clips"))
    for clip in list_clips(store):
        unnamed.pop(workspace.root / clip.path, None)
    yield from (_file("clip", path) for path in unnamed)
    for path in _unnamed(store, workspace, "previews"):
        yield _file("preview", path)
    for path in _unnamed(store, workspace, "frames"):
        yield _file("frames", path)
    for path in files_below(workspace.root / "scratch"):
        if path.suffix == ".s16":
            yield _file("samples", path)


def _unnamed(store: Store, workspace: WorkspaceFolder, folder: str) -> Iterator[Path]:
    return (path for path in files_below(workspace.root / folder) if is_unnamed(store, folder, path.name))


def _file(kind: str, path: Path) -> Garbage:
    about = path.lstat()
    return Garbage(kind, path, about.st_size if about.st_nlink == 1 else 0)


def _drop_empty_folders(workspace: WorkspaceFolder, files: Sequence[Garbage]) -> None:
    for folder in {file.path.parent for file in files}:
        while folder != workspace.root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent  # noqa: PLW2901  up to the first that still holds something


def _collection(store: Store, pipeline: Pipeline, files: Sequence[Garbage], rows: Mapping[str, int]) -> Collection:
    changed = {table: number for table, number in rows.items() if number}
    outdated = count_outdated(store, pipeline.stages, pipeline.marks)
    return Collection(tuple(files), changed, len(list_lost_passages(store)), outdated)
