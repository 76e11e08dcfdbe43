"""Withdrawn: recordings that someone wanted out, and that never come back by accident.

The list is a text file in the workspace, one recording a line: its id, its file's name or its URL, then,
after a tab or ` # `, a reason for ourselves. It is never published, and the changelog only counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from aramega.records import AramegaError, Recording
from aramega.workspace import WorkspaceFolder, whole_file


def read_withdrawn(path: Path) -> dict[str, str]:
    """What was withdrawn → why; empty where there is no list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{path}: cannot be read as a list of withdrawn recordings ({error}).") from None
    lines = [re.split(r"\t|\s#\s?", line.strip(), maxsplit=1) for line in text.splitlines()]
    return {parts[0].strip(): (parts[1].strip() if len(parts) > 1 else "") for parts in lines if _names_one(parts[0])}


def all_withdrawn(workspace: WorkspaceFolder, given: Path | None) -> dict[str, str]:
    """The workspace's list and, if one is given, another's."""
    if given is not None and not given.is_file():
        raise AramegaError(f"{given}: no such file. --withdrawn takes a list, one recording a line: id, name or URL.")
    return (read_withdrawn(given) if given else {}) | read_withdrawn(workspace.withdrawn)


def remember_withdrawn(workspace: WorkspaceFolder, withdrawn: Mapping[str, str]) -> None:
    """Keep the list in the workspace, for good; one that says the same is left as it was written."""
    if read_withdrawn(workspace.withdrawn) != withdrawn:
        with whole_file(workspace.withdrawn) as part:
            part.write_text(
                "".join(f"{name}\t{why}".rstrip() + "\n" for name, why in withdrawn.items()), encoding="utf-8"
            )


def names_of(recording: Recording) -> tuple[str, ...]:
    return (recording.id, recording.name, recording.metadata.url)


def _names_one(text: str) -> bool:
    return bool(text.strip()) and not text.strip().startswith("#")
