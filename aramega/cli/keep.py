"""`aramega gc`, `backup`, `merge`, `split`: keep a workspace small and safe, and share the work of one."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import ALL_DONE, DONE_WITH_FAILURES
from aramega.cli.home import SHOWN, at_home, name_some
from aramega.cli.look import Folder
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.maintenance.backup import Backup
    from aramega.maintenance.collect import Collection
    from aramega.maintenance.merge import Merged
    from aramega.pipeline import Pipeline
    from aramega.workspace import WorkspaceFolder

JsonOption = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


def gc(
    workspace: Folder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and take nothing.")] = False,
    outdated: Annotated[
        bool, typer.Option("--outdated", help="Take drafts, too, that were made under other options than today's.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take away what nothing names: clips and drafts of passages cut otherwise since, leftovers of killed builds.

    What people have reviewed, or are to, stays with its clip and draft whatever has become of its passage.
    """
    from aramega.maintenance.collect import collect, find_leftovers, of_nothing, of_other_options, plan_collection
    from aramega.maintenance.remote_files import unnamed_away
    from aramega.pipeline.build import building
    from aramega.remote import remove
    from aramega.store import Store

    place = _known(workspace)
    pipeline = _pipeline(place)
    rules = of_nothing()
    if outdated:
        pipeline.check()  # a model's file that is not there looks like another option
        rules += of_other_options(pipeline)
    if dry_run:
        with Store.open(place) as store:
            found = plan_collection(store, pipeline, rules)
    else:
        leftovers = find_leftovers(place)
        with building(place), Store.create_or_open(place) as store:
            found = collect(store, pipeline, rules, leftovers)
            if place.files:
                remove(entry.address for entry in unnamed_away(store, place))
    if as_json:
        print(json.dumps(_collection_to_dict(found, place), ensure_ascii=False))
    else:
        _say_collection(found, "Would be taken away" if dry_run else "Taken away")
        if found.outdated and not outdated:
            print(f"Kept: {found.outdated:,} results made under other options; --outdated takes those, too.")


def backup(
    workspace: Folder,
    to: Annotated[Path, typer.Argument(metavar="TO", help="The backup; made, or brought up to date.")],
    without_frames: Annotated[
        bool, typer.Option("--without-frames", help="Leave out what a build can make again from the recordings.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Hash every clip of the backup, not only new ones.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Copy the workspace as it is at this moment, even while a build runs in it. The recordings are not in it,
    nor is what annotators did in Label Studio and nobody has pulled yet.

    Exit codes: 0 whole, 3 clips are missing or are not what their rows say.
    """
    from aramega.maintenance import backup as room

    place = _known_and_home(workspace)
    made = room.back_up(place, to, extras=() if without_frames else ("frames",))
    if verify:
        room.verify(to, made)
    if as_json:
        print(json.dumps(asdict(made), ensure_ascii=False))
    else:
        _say_backup(made, to)
        _say_unpulled(made, workspace)
    return ALL_DONE if made.is_whole else DONE_WITH_FAILURES


def merge(
    workspaces: Annotated[list[Path], typer.Argument(metavar="DIR…", help="The workspaces to bring together.")],
    into: Annotated[Path, typer.Option("--into", help="The workspace to bring them into; made if missing.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a workspace.")] = False,
) -> int:
    """Bring several workspaces into one; run again, it adds nothing.

    Exit codes: 0 all is there, 3 clips that rows name were missing.
    """
    from aramega.maintenance.merge import merge as bring
    from aramega.pipeline.build import building
    from aramega.workspace import WorkspaceFolder

    target = WorkspaceFolder(into.absolute())
    sources = [_known_and_home(folder) for folder in workspaces]
    brought = []
    with building(target):
        for source in sources:
            with _held(source, target):
                brought.append(bring(source, target))
            if as_json:
                print(json.dumps(asdict(brought[-1]), ensure_ascii=False), flush=True)
            else:
                _say_merged(brought[-1])
    return DONE_WITH_FAILURES if any(one.missing for one in brought) else ALL_DONE


def split(
    workspace: Folder,
    parts: Annotated[int, typer.Option("--parts", min=2, help="Into how many.")],
    into: Annotated[Path, typer.Option("--into", metavar="PREFIX", help="The parts are PREFIX-1, PREFIX-2, …")],
) -> int:
    """Share out a workspace's recordings over several workspaces, with all that is known of them.

    Exit codes: 0 all is there, 3 clips that rows name were missing.
    """
    from aramega.maintenance.split import check_part, fill_part, name_parts
    from aramega.pipeline.build import building

    place = _known_and_home(workspace)
    named = name_parts(into, parts)
    for number, part in enumerate(named):
        check_part(part, number, parts)
    missing = 0
    with _held(place, named[0]):
        for number, part in enumerate(named):
            with building(part):
                brought = fill_part(place, part, number, parts)
            print(f"{part.root}: {brought.recordings:,} recordings, {brought.passages:,} passages")
            missing += len(brought.missing)
    if missing:
        print(f"aramega: {missing:,} clips that rows name are not in {place.root}.", file=sys.stderr)
    return DONE_WITH_FAILURES if missing else ALL_DONE


def _known(folder: Path) -> WorkspaceFolder:
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(folder.absolute())
    if not place.database.exists():
        raise AramegaError(f"{folder}: not a workspace (it has no aramega.db). `aramega build-ssum` makes one.")
    return place


def _known_and_home(folder: Path) -> WorkspaceFolder:
    """With all its clips and frame tables here: copies and parts of a workspace keep their files to themselves."""
    from aramega.store import Store

    place = _known(folder)
    with Store.open(place) as store:
        at_home(place, store, frames=True)
    return place


def _held(source: WorkspaceFolder, target: WorkspaceFolder) -> AbstractContextManager[None]:
    """Keep builds out of a workspace that is merged; one on a disk that cannot be written to has none."""
    from aramega.pipeline.build import building

    if source.root.resolve() == target.root.resolve() or not os.access(source.root, os.W_OK):
        return nullcontext()
    return building(source)


def _collection_to_dict(found: Collection, place: WorkspaceFolder) -> dict[str, object]:
    files = {kind: {"files": number, "bytes": size} for kind, (number, size) in found.by_kind().items()}
    return {
        "workspace": str(place.root),
        "files": files,
        "bytes": found.bytes,
        "rows": dict(found.rows),
        "in_hands": found.in_hands,
        "outdated": found.outdated,
    }


def _say_collection(found: Collection, heading: str) -> None:
    from aramega.display import count, size

    for kind, (number, taken) in found.by_kind().items():
        print(f"{_several(kind, number)}: {size(taken)}")
    for table, number in found.rows.items():
        print(f"{count(number, 'row')} of {table}")
    print(f"{heading}: {count(len(found.files), 'file')}, {size(found.bytes)}.")
    if found.in_hands:
        print(f"Kept: {count(found.in_hands, 'passage')} cut otherwise since, for people have worked on them.")


def _several(kind: str, number: int) -> str:
    from aramega.display import count

    return {
        "clip": count(number, "clip"),
        "preview": count(number, "preview"),
        "frames": f"frames in {count(number, 'file')}",
        "samples": f"decoded samples in {count(number, 'file')}",
        "leftover": count(number, "half-written file"),
    }[kind]


def _say_backup(made: Backup, to: Path) -> None:
    from aramega.display import count, size

    print(f"{to}: {count(made.clips, 'clip')} and the frames of {count(made.frames, 'recording')}, {size(made.bytes)}")
    print(f"{made.kept:,} were there, {made.linked:,} linked, {made.copied:,} copied.")
    for what, paths in (("is not in the workspace", made.missing), ("is not what its row says", made.wrong)):
        name_some(paths, what)


def _say_unpulled(made: Backup, workspace: Path) -> None:
    """Which work is not in the backup, since it is in a Label Studio still; on stderr, for it is no result."""
    from aramega.display import count, visible

    for one in made.unpulled:
        when = f"pulled last {one.pulled_at[:16]}" if one.pulled_at else "never pulled"
        project = visible(one.title or one.project)
        pull = f"aramega review pull {shlex.quote(str(workspace))} --project {shlex.quote(project)}"
        print(
            f"aramega: {count(one.tasks, 'task')} of project {project} at {visible(one.place)} "
            f"({when}) without a review here: what people did there since is not in this backup. "
            f"First `{pull}`, then back up again.",
            file=sys.stderr,
        )


def _say_merged(merged: Merged) -> None:
    from aramega.display import count, size, visible

    told = [count(merged.recordings, "recording"), count(merged.passages, "passage"), count(merged.reviews, "review")]
    copied = f" ({size(merged.bytes)} copied)" if merged.bytes else ""
    print(f"{merged.workspace}: {', '.join(told)} new; {count(merged.clips, 'clip')} brought{copied}.")
    for option in merged.options:
        print(f"  option {option}")
    for conflict in merged.conflicts[:SHOWN]:
        print(f"  {visible(conflict.name)}: {conflict.what}; taken: {visible(conflict.taken)}")
    if len(merged.conflicts) > SHOWN:
        print(f"  … and {len(merged.conflicts) - SHOWN:,} more; --json names them all.")
    for path in merged.missing[:SHOWN]:
        print(f"aramega: {path}: named by a row of {merged.workspace}, and not there.", file=sys.stderr)


def _pipeline(place: WorkspaceFolder) -> Pipeline:
    """The stages of the configuration that a workspace was last built with."""
    from aramega.config import choose_config
    from aramega.pipeline import Pipeline

    return Pipeline.from_config(choose_config(None, place.config), place)
