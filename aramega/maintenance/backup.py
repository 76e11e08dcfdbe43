"""Backup: a consistent copy of a workspace, made while a build runs in it.

The database is copied by SQLite's own backup inside one read snapshot, the journal of answers right after it, so
that it never knows less; then the clips that the copied database names. A clip that a running build cuts anew
meanwhile no longer fits the copied row: then the database is copied once more, which now knows the new clip.

Everything goes into a folder beside the backup, `.NAME.part`, which takes the backup's name when it is whole; what
an earlier backup holds is linked from there, so only new clips cost anything. Killed, the next run goes on with
what is in the part folder. Killed between the two renames, the earlier backup waits as `.NAME.old`, and the next
run puts it back first. The recordings themselves, previews and reports are not in it, nor is what annotators did in
a Label Studio since the last pull; the projects concerned are named.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aramega.backends.llm.journal import copy_journal
from aramega.locks import hold
from aramega.maintenance.link_or_copy import How, carry, is_same
from aramega.maintenance.references import files_below, frame_paths, named_clips
from aramega.maintenance.small_files import find_papers
from aramega.records import AramegaError, timestamp
from aramega.store import Store
from aramega.store.clips import is_cut_done
from aramega.store.recordings import recording_ids
from aramega.store.unpulled import Unpulled, find_unpulled
from aramega.workspace import WorkspaceFolder, whole_file

NOTE = "backup.json"
"""What a folder is the backup of, and when it was made: by it we know our own."""

_TRIES = 5
"""Copies of the database until its clips hold still; a build cuts a recording's clips anew once, not five times."""


@dataclass
class Backup:
    """What a backup holds, and how it came there."""

    clips: int = 0
    frames: int = 0
    bytes: int = 0
    """Of clips and frames together."""
    unchanged: int = 0
    """Files the earlier backup held already."""
    linked: int = 0
    copied: int = 0
    missing: list[str] = field(default_factory=list)
    """Clips that a row names and the workspace does not hold."""
    wrong: list[str] = field(default_factory=list)
    """Clips that are not what their row says they are; looked for in all clips by `verify`, else in new ones."""
    unpulled: list[Unpulled] = field(default_factory=list)
    """Projects that may hold work which no pull has brought yet."""

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.wrong)


@dataclass(frozen=True)
class _Places:
    """Where things are while a backup is made."""

    workspace: WorkspaceFolder
    to: Path
    part: WorkspaceFolder
    old: Path


def back_up(workspace: WorkspaceFolder, to: Path, extras: Sequence[str] = ("frames",)) -> Backup:
    """Make `to` a copy of the workspace as it is now; `extras` are the folders of what could be made again."""
    to = to.absolute()
    part = WorkspaceFolder(to.with_name(f".{to.name}.part"))
    places = _Places(workspace, to, part, to.with_name(f".{to.name}.old"))
    check_places(workspace, to)
    with _alone(places):
        _mend(places)
        backup = _copy_all(places, extras)
        _drop_strays(places, extras)
        _note(places, backup)
        _take_name(places)
    return backup


def verify(to: Path, backup: Backup) -> None:
    """Hash every clip of the backup; those that are not what their row says are added to `wrong`."""
    place = WorkspaceFolder(to.absolute())
    with Store.open(place) as store:
        clips = [clip for clip in named_clips(store, place) if (place.root / clip.path).exists()]
        backup.wrong = [c.path for c in clips if not _fits(store, c.passage, place.root / c.path, c.sha256)]


def check_places(workspace: WorkspaceFolder, to: Path) -> None:
    """Raise where this workspace's backup cannot lie."""
    here, target = workspace.root.resolve(), to.resolve()
    if here == target or here in target.parents or target in here.parents:
        raise AramegaError(f"{to}: a backup cannot lie in its workspace, nor around it. Give another folder.")
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return
    try:
        backed_up = json.loads((to / NOTE).read_text(encoding="utf-8"))["workspace"]
    except (OSError, ValueError, KeyError, TypeError):
        raise AramegaError(
            f"{to}: is there, and is no backup of ours (it has no {NOTE}). Give another folder."
        ) from None
    if backed_up != str(here):
        raise AramegaError(
            f"{to}: is a backup of {backed_up}, not of {here}. Give another folder; or, if the workspace has moved, "
            f"put its new path into {NOTE}."
        )


@contextmanager
def _alone(places: _Places) -> Iterator[None]:
    """Be the only one who writes this backup; the lock goes with the process, however it ends."""
    places.part.root.mkdir(parents=True, exist_ok=True)

    def busy(_: int | None) -> AramegaError:
        return AramegaError(f"{places.to}: another backup is being written there. Wait for it, or stop it.")

    with hold(places.part.root / "backup.lock", busy):
        yield


def _mend(places: _Places) -> None:
    """What a kill left: an earlier backup between two names, half files in the part folder."""
    if places.old.exists():
        if places.to.exists():
            shutil.rmtree(places.old)
        else:
            places.old.rename(places.to)
    for path in files_below(places.part.root):
        if path.suffix == ".part" or ".part-" in path.name:
            path.unlink(missing_ok=True)


def _copy_all(places: _Places, extras: Sequence[str]) -> Backup:
    backup = _copy_once(places, extras)
    for _ in range(_TRIES - 1):
        before, backup = backup, backup if backup.is_whole else _copy_once(places, extras)
        if (backup.missing, backup.wrong) == (before.missing, before.wrong):
            break  # all is there; or what is not there is no build's doing
    papers = find_papers(places.workspace)
    for paper in set(find_papers(places.part)).difference(papers):
        (places.part.root / paper).unlink()
    for paper in papers:
        with whole_file(places.part.root / paper) as part:
            shutil.copy2(places.workspace.root / paper, part)
    return backup


def _copy_once(places: _Places, extras: Sequence[str]) -> Backup:
    begun, backup = time.time(), Backup()
    _copy_databases(places)
    with Store.open(places.part) as copied:
        _copy_clips(places, copied, backup, begun)
        if "frames" in extras:
            _copy_frames(places, copied, backup)
        backup.unpulled = find_unpulled(copied)
    return backup


def _copy_databases(places: _Places) -> None:
    """Both databases; the one a snapshot is open on is read as of that snapshot."""
    with Store.open(places.workspace) as store, store.snapshot():
        with _replacing(places.part.database) as part:
            store.copy_to(part)
        if places.workspace.answers.exists():
            with _replacing(places.part.answers) as part:
                copy_journal(places.workspace.answers, part)


@contextmanager
def _replacing(database: Path) -> Iterator[Path]:
    """A file that becomes this database when the block ends."""
    for beside in ("-wal", "-shm"):  # of a copy that a killed run had open
        database.with_name(database.name + beside).unlink(missing_ok=True)
    with whole_file(database) as part:
        yield part


def _copy_clips(places: _Places, copied: Store, backup: Backup, begun: float) -> None:
    for clip in named_clips(copied, places.workspace):
        source = places.workspace.root / clip.path
        try:
            _bring(places, clip.path, backup)
        except FileNotFoundError:
            if source.exists():
                raise
            if clip.sha256:  # of a passage that is gone the clip may be gone, too
                backup.missing.append(clip.path)
            continue
        backup.clips += 1
        target = places.part.root / clip.path
        if target.stat().st_mtime >= begun - 2 and not _fits(copied, clip.passage, target, clip.sha256):
            backup.wrong.append(clip.path)


def _copy_frames(places: _Places, copied: Store, backup: Backup) -> None:
    for recording in recording_ids(copied):
        for path in frame_paths(places.workspace, recording):
            if (places.workspace.root / path).exists():
                _bring(places, path, backup)
                backup.frames += path.endswith(".npz")


def _bring(places: _Places, path: str, backup: Backup) -> None:
    """A file from the earlier backup if it is the same there, else from the workspace."""
    source, earlier, target = (root / path for root in (places.workspace.root, places.to, places.part.root))
    was_there = is_same(source, earlier)
    how: How = carry(earlier if was_there else source, target)
    backup.bytes += target.stat().st_size
    backup.unchanged += was_there
    backup.linked += how == "linked" and not was_there
    backup.copied += how == "copied" and not was_there


def _fits(copied: Store, passage: str, clip: Path, sha256: str) -> bool:
    """Whether a clip is what its row says; where the row itself waits to be made anew, any clip will do."""
    if not sha256 or _hash(clip) == sha256:
        return True
    return not is_cut_done(copied, passage)


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _drop_strays(places: _Places, extras: Sequence[str]) -> None:
    """Remove from the part folder what an earlier try brought and the database that was copied last does not name."""
    with Store.open(places.part) as copied:
        clips = {clip.path for clip in named_clips(copied, places.part)}
        recordings = recording_ids(copied) if "frames" in extras else []
    frames = {path for recording in recordings for path in frame_paths(places.part, recording)}
    for folder in ("clips", "frames"):
        for path in list(files_below(places.part.root / folder)):
            if places.part.relative(path) not in clips | frames:
                path.unlink()


def _note(places: _Places, backup: Backup) -> None:
    note = {
        "workspace": str(places.workspace.root.resolve()),
        "made_at": timestamp(),
        **asdict(backup),
    }
    with whole_file(places.part.root / NOTE) as part:
        part.write_text(json.dumps(note, ensure_ascii=False, indent=1), encoding="utf-8")


def _take_name(places: _Places) -> None:
    if places.to.exists():
        places.to.rename(places.old)
    places.part.root.rename(places.to)
    shutil.rmtree(places.old, ignore_errors=True)
