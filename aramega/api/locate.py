"""Where the workspace is when nobody names it: in ARAMEGA_WORKSPACE, or above the current folder."""

from __future__ import annotations

import os
from pathlib import Path

from aramega.errors import AramegaError
from aramega.workspace import WorkspaceFolder

VARIABLE = "ARAMEGA_WORKSPACE"
USUAL = Path("aramega-workspace")
"""Where a build works when it is told nothing and stands in no workspace."""


def find_workspace(start: Path | None = None) -> Path:
    """The workspace to work in: ARAMEGA_WORKSPACE, else the folder above `start` that is one, else ./aramega-workspace.

    Raises where two folders above are workspaces: taking the nearer one could clean up or publish the wrong one.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    start = (start or Path.cwd()).absolute()
    above = [folder for folder in (start, *start.parents) if WorkspaceFolder(folder).database.is_file()]
    if len(above) > 1:
        raise AramegaError(
            f"{start} lies in two workspaces, {above[0]} and {above[1]}. Say which: -w {above[0]}, or set {VARIABLE}."
        )
    return above[0] if above else USUAL
