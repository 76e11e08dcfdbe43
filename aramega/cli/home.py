"""`aramega fetch`, and what other commands do first where a workspace's clips are kept at an address."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import ALL_DONE, DONE_WITH_FAILURES
from aramega.cli.look import Folder
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

SHOWN = 20


def fetch(
    workspace: Folder,
    frames: Annotated[bool, typer.Option("--frames", help="The frame tables, too: what re-segmenting needs.")] = False,
) -> int:
    """Bring the clips home that a build keeps at an address (--files), to publish, review or back up from here.

    Only what is not here yet is brought. Exit codes: 0 all is here, 3 the address does not hold some of it.
    """
    from aramega.maintenance.remote_files import bring_home
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(workspace.absolute())
    with Store.open(place) as store:
        if not place.files:
            raise AramegaError(f"{place.root}: its files are kept in its folder, and nowhere else.")
        came = bring_home(store, place, frames=frames)
    print(f"{place.root}: {came.brought:,} files brought from {place.files}, {came.bytes / 1e6:,.1f} MB.")
    name_some(came.missing, "is not there either")
    return DONE_WITH_FAILURES if came.missing else ALL_DONE


def name_some(paths: Sequence[str], what: str) -> None:
    """The first of the files that something is wrong with, and how many more there are."""
    for path in paths[:SHOWN]:
        print(f"aramega: {path}: {what}.", file=sys.stderr)
    if len(paths) > SHOWN:
        print(f"aramega: … and {len(paths) - SHOWN:,} more.", file=sys.stderr)


def at_home(place: WorkspaceFolder, store: Store, *, frames: bool = False) -> None:
    """Have the clips here, for a command that reads them all; `frames`: the frame tables, too."""
    if not place.files:
        return
    from aramega.maintenance.remote_files import bring_home

    came = bring_home(store, place, frames=frames)
    if came.brought:
        print(f"aramega: {came.brought:,} files brought from {place.files}.", file=sys.stderr)
