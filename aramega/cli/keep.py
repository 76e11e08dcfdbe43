"""`aramega gc`, `backup`, `fetch`, `merge`, `split`: keep a workspace small and safe, and share the work of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.command import command
from aramega.cli.exit_codes import ALL_DONE, DONE_WITH_FAILURES
from aramega.cli.options import AsJson, DryRun

if TYPE_CHECKING:
    from aramega.api import Workspace


@command("fetch", panel="Keep", example="aramega fetch news --frames")
def fetch(
    workspace: Workspace,
    frames: Annotated[bool, typer.Option("--frames", help="The frame tables, too: what re-segmenting needs.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Bring the clips here that a build keeps at an address (--files), to publish, review or back up from here.

    Only what is not here yet is brought. Exit codes: 0 all is here, 3 the address does not hold some of it.
    """
    from aramega.cli.keep_results import show_fetched
    from aramega.cli.output import print_json

    result = workspace.upkeep.fetch(frames=frames, dry_run=dry_run)
    print_json(result) if as_json else show_fetched(result, workspace, dry_run=dry_run)
    return DONE_WITH_FAILURES if result.missing else ALL_DONE


@command("gc", panel="Keep", example="aramega gc news --dry-run")
def gc(
    workspace: Workspace,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and take nothing.")] = False,
    outdated: Annotated[
        bool, typer.Option("--outdated", help="Take drafts, too, that were made under other options than today's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take away what nothing names: clips and drafts of passages cut otherwise since, leftovers of killed builds.

    What people have reviewed, or are to, stays with its clip and draft whatever has become of its passage.
    """
    from aramega.cli.keep_results import collection_to_dict, show_collection
    from aramega.cli.output import print_json

    result = workspace.upkeep.collect(outdated=outdated, dry_run=dry_run)
    if as_json:
        print_json(collection_to_dict(result, workspace), indent=None)
    else:
        show_collection(result, dry_run=dry_run, outdated=outdated)


@command("backup", panel="Keep", example="aramega backup news /mnt/backup/news")
def backup(
    workspace: Workspace,
    to: Annotated[
        Path | None, typer.Argument(metavar="TO", help="The backup; made, or brought up to date.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="The same as TO.")] = None,
    without_frames: Annotated[
        bool, typer.Option("--without-frames", help="Leave out what a build can make again from the recordings.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Hash every clip of the backup, not only new ones.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Copy the workspace as it is at this moment, even while a build runs in it. The recordings are not in it,
    nor is what annotators did in Label Studio and nobody has pulled yet.

    Exit codes: 0 whole, 3 clips are missing or are not what their rows say.
    """
    from aramega.cli.keep_results import backup_target, show_backup
    from aramega.cli.output import print_json

    target = backup_target(to, out)
    result = workspace.upkeep.backup(target, frames=not without_frames, verify=verify, dry_run=dry_run)
    print_json(result, indent=None) if as_json else show_backup(result, target, workspace, dry_run=dry_run)
    return ALL_DONE if result.is_whole else DONE_WITH_FAILURES


@command("merge", panel="Keep", example="aramega merge news-1 news-2 --out news", workspace="no")
def merge(
    workspaces: Annotated[list[Path], typer.Argument(metavar="DIR…", help="The workspaces to bring together.")],
    into: Annotated[
        Path, typer.Option("--out", "-o", "--into", help="The workspace to bring them into; made if missing.")
    ],
    dry_run: DryRun = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a workspace.")] = False,
) -> int:
    """Bring several workspaces into one; run again, it adds nothing.

    Exit codes: 0 all is there, 3 clips that rows name were missing.
    """
    from aramega.api import Workspace
    from aramega.api.upkeep import merge as merge_into
    from aramega.cli.keep_results import show_merged
    from aramega.cli.output import note, print_json

    missing = 0
    for merged in merge_into([Workspace(folder, notify=note) for folder in workspaces], into, dry_run=dry_run):
        print_json(merged, indent=None) if as_json else show_merged(merged, dry_run=dry_run)
        missing += len(merged.missing)
    return DONE_WITH_FAILURES if missing else ALL_DONE


@command("split", panel="Keep", example="aramega split news --parts 3 --out team")
def split(
    workspace: Workspace,
    parts: Annotated[int, typer.Option("--parts", min=2, help="Into how many.")],
    into: Annotated[
        Path, typer.Option("--out", "-o", "--into", metavar="PREFIX", help="The parts are PREFIX-1, PREFIX-2, …")
    ],
    dry_run: DryRun = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a part.")] = False,
) -> int:
    """Share out a workspace's recordings over several workspaces, with all that is known of them.

    Exit codes: 0 all is there, 3 clips that rows name were missing.
    """
    from aramega.cli.output import note, print_json

    missing = 0
    for part in workspace.upkeep.split(into, parts, dry_run=dry_run):
        line = f"{part.path}: {part.recordings:,} recordings, {part.passages:,} passages"
        print_json(part, indent=None) if as_json else print(line)
        missing += len(part.missing)
    if missing:
        note(f"{missing:,} clips that rows name are not in {workspace.path}.")
    return DONE_WITH_FAILURES if missing else ALL_DONE
