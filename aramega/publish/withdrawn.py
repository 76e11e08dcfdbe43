"""Withdrawn: recordings that someone wanted out, and that never come back by accident.

The list is a text file in the workspace, one recording a line: its id, its file's name or its URL, then,
after a tab or ` # `, a reason for ourselves. It is never published, and the changelog only counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from aramega.records import AramegaError, Recording
from aramega.workspace import Workspace, whole_file

FILE = "withdrawn.txt"


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


def keep_withdrawn(workspace: Workspace, given: Path | None) -> dict[str, str]:
    """The workspace's list with those of `given` added for good."""
    kept = workspace.root / FILE
    known = read_withdrawn(kept)
    if given is None:
        return known
    if not given.is_file():
        raise AramegaError(f"{given}: no such file. --withdrawn takes a list, one recording a line: id, name or URL.")
    added = {name: why for name, why in read_withdrawn(given).items() if name not in known}
    if added:
        lines = (f"{name}\t{why}".rstrip() + "\n" for name, why in (known | added).items())
        with whole_file(kept) as part:
            part.write_text("".join(lines), encoding="utf-8")
    return known | added


def is_withdrawn(recording: Recording, withdrawn: Mapping[str, str]) -> bool:
    return any(name and name in withdrawn for name in names_of(recording))


def unknown_names(recordings: Iterable[Recording], withdrawn: Mapping[str, str]) -> list[str]:
    """Lines that name no recording here: a typing mistake, or one that is long gone."""
    found = {name for recording in recordings for name in names_of(recording)}
    return sorted(set(withdrawn) - found)


def names_of(recording: Recording) -> tuple[str, ...]:
    return (recording.id, recording.name, recording.metadata.url)


def _names_one(text: str) -> bool:
    return bool(text.strip()) and not text.strip().startswith("#")
