"""What notebooks and the command line call: open or create a workspace, then add, build, look, resolve, publish.

    import aramega as am

    ws = am.create("news", config={"transcribe": {"model": "large-v3-turbo"}})
    ws.build("recordings/*.mp3", on_progress=print)
    for passage in ws.passages("priority > 0.5"):
        print(passage.text)

`Workspace` holds a folder and no connection: each method opens the database for as long as it runs, so that one
object can be kept for days, and a build elsewhere meanwhile hurts nobody. Nothing here prints: what happens on the
way is given to `notify`, a line at a time. Errors a user can mend are `AramegaError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aramega.api.locate import find_workspace
from aramega.api.passages import Passages, PassageView
from aramega.api.upkeep import merge
from aramega.api.workspace import Workspace
from aramega.errors import AramegaError

__all__ = ["AramegaError", "PassageView", "Passages", "Workspace", "create", "find_workspace", "merge", "open"]


def open(path: str | Path | None = None, *, notify: Callable[[str], None] = lambda _: None) -> Workspace:
    """Open the workspace in a folder; without one, the workspace that the current folder lies in.

    >>> open("/no/such/folder")
    Traceback (most recent call last):
    aramega.errors.AramegaError: /no/such/folder: not a workspace (it has no aramega.db and no aramega.toml). ...
    """
    workspace = Workspace(find_workspace() if path is None else Path(path), notify=notify)
    if not (workspace.folder.database.exists() or workspace.folder.config.exists()):
        raise AramegaError(
            f"{workspace.path}: not a workspace (it has no aramega.db and no aramega.toml). "
            "`aramega build` makes one, and so does aramega.create."
        )
    return workspace


def create(
    path: str | Path,
    *,
    config: Mapping[str, Mapping[str, object]] | None = None,
    files: str = "",
    notify: Callable[[str], None] = lambda _: None,
) -> Workspace:
    """Make a folder with an aramega.toml that holds every option, `config`'s and the defaults of the others.

    `files` is an address (s3://bucket/folder) that keeps the clips, too, for workers on machines that do not see the
    folder.
    """
    from aramega.api.settings import flatten
    from aramega.config import Config, change_config, save_config

    workspace = Workspace(Path(path), notify=notify)
    if workspace.folder.config.exists() or workspace.folder.database.exists():
        raise AramegaError(
            f"{workspace.folder.config} is there already: {workspace.path} is a workspace. Open it, or give another folder."
        )
    wanted = change_config(Config(), flatten(config))
    workspace.path.mkdir(parents=True, exist_ok=True)
    workspace = workspace.kept_at(files) if files else workspace
    save_config(wanted, workspace.folder.config)
    return workspace
