"""Papers: the small files of a workspace that no stage makes and none can make again.

The configuration, the list of what was withdrawn, and what publishing keeps to itself: which recording went into
which split, and the salt of the annotators' pseudonyms.
"""

from __future__ import annotations

from pathlib import Path

from aramega.workspace import WorkspaceFolder

_NOT_PAPERS = {
    "aramega.db",
    "answers.db",
    "progress.json",
    "build.lock",
    "lock",
    "backup.lock",
    "backup.json",
    "report.html",
}
_FOLDERS = ("", "publish")


def find_papers(workspace: WorkspaceFolder) -> list[str]:
    """Their paths in the workspace."""
    files = [path for folder in _FOLDERS for path in sorted(_files_in(workspace.root / folder))]
    return [workspace.relative(path) for path in files if _is_paper(path.name)]


def _files_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []


def _is_paper(name: str) -> bool:
    return name not in _NOT_PAPERS and not name.endswith((".part", "-wal", "-shm", "-journal"))
