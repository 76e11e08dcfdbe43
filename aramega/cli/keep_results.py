"""How gc, backup, fetch and merge say what they did."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aramega.cli.output import SHOWN, list_some, note
from aramega.display import count, size, visible

if TYPE_CHECKING:
    from aramega.api import Workspace
    from aramega.maintenance.backup import Backup
    from aramega.maintenance.collect import Collection
    from aramega.maintenance.merge import Merged
    from aramega.maintenance.remote_files import Homecoming


def show_fetched(result: Homecoming, workspace: Workspace, *, dry_run: bool) -> None:
    files, done = count(result.brought, "file"), "would be brought" if dry_run else "brought"
    print(f"{workspace.path}: {files} {done} from {workspace.folder.files}, {result.bytes / 1e6:,.1f} MB.")
    list_some(result.missing, "aramega: ", ": is not there either.")


def collection_to_dict(collection: Collection, workspace: Workspace) -> dict[str, object]:
    files = {kind: {"files": number, "bytes": size} for kind, (number, size) in collection.by_kind().items()}
    return {
        "workspace": str(workspace.path),
        "files": files,
        "bytes": collection.bytes,
        "rows": dict(collection.rows),
        "in_hands": collection.in_hands,
        "outdated": collection.outdated,
    }


def show_collection(collection: Collection, *, dry_run: bool, outdated: bool) -> None:
    heading = "Would be taken away" if dry_run else "Taken away"
    for kind, (number, taken) in collection.by_kind().items():
        print(f"{_several(kind, number)}: {size(taken)}")
    for table, number in collection.rows.items():
        print(f"{count(number, 'row')} of {table}")
    print(f"{heading}: {count(len(collection.files), 'file')}, {size(collection.bytes)}.")
    if collection.in_hands:
        print(f"Kept: {count(collection.in_hands, 'passage')} cut otherwise since, for people have worked on them.")
    if collection.outdated and not outdated:
        print(f"Kept: {collection.outdated:,} results made under other options; --outdated takes those, too.")


def backup_target(to: Path | None, out: Path | None) -> Path:
    """Where a backup goes: the argument, or --out."""
    if to and out:
        raise typer.BadParameter(f"{to} and --out {out} are two backups: name one.")
    if not (to or out):
        raise typer.BadParameter("say where to: aramega backup [DIR] TO, or --out TO.")
    return to or out  # type: ignore[return-value]  # one of them is there


def show_backup(backup: Backup, to: Path, workspace: Workspace, *, dry_run: bool) -> None:
    print(
        f"{to}: {count(backup.clips, 'clip')} and the frames of {count(backup.frames, 'recording')}, {size(backup.bytes)}"
    )
    would = "would be " if dry_run else ""
    print(f"{backup.unchanged:,} were there, {backup.linked:,} {would}linked, {backup.copied:,} {would}copied.")
    list_some(backup.missing, "aramega: ", ": is not in the workspace.")
    list_some(backup.wrong, "aramega: ", ": is not what its row says.")
    for project in backup.unpulled:
        when = f"pulled last {project.pulled_at[:16]}" if project.pulled_at else "never pulled"
        name = visible(project.title or project.project)
        pull = f"aramega review pull {shlex.quote(str(workspace.path))} --project {shlex.quote(name)}"
        note(
            f"{count(project.tasks, 'task')} of project {name} at {visible(project.place)} ({when}) without a review "
            f"here: what people did there since is not in this backup. First `{pull}`, then back up again."
        )


def show_merged(merged: Merged, *, dry_run: bool) -> None:
    new = [count(merged.recordings, "recording"), count(merged.passages, "passage"), count(merged.reviews, "review")]
    copied = f" ({size(merged.bytes)} copied)" if merged.bytes else ""
    brought = f"{count(merged.clips, 'clip')} {'would be ' if dry_run else ''}brought{copied}"
    print(f"{merged.workspace}: {', '.join(new)} new; {brought}.")
    for option in merged.options:
        print(f"  option {option}")
    for conflict in merged.conflicts[:SHOWN]:
        print(f"  {visible(conflict.name)}: {conflict.what}; taken: {visible(conflict.taken)}")
    if len(merged.conflicts) > SHOWN:
        print(f"  … and {len(merged.conflicts) - SHOWN:,} more; --json names them all.")
    list_some(merged.missing, "aramega: ", f": named by a row of {merged.workspace}, and not there.")


def _several(kind: str, number: int) -> str:
    return {
        "clip": count(number, "clip"),
        "preview": count(number, "preview"),
        "frames": f"frames in {count(number, 'file')}",
        "samples": f"decoded samples in {count(number, 'file')}",
        "leftover": count(number, "half-written file"),
    }[kind]
