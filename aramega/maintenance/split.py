"""Split: one workspace into several, each a workspace of its own that a team can build and review by itself.

Which part a recording goes to is a hash of its id, so that recordings that come later go where they would have
gone at once. Every part gets the same configuration, the same list of what was withdrawn and the same journal of
answers; so a part's budget counts what was spent before the split. Merged again, the parts are what was split.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from aramega.maintenance.merge import Merged, merge
from aramega.records import AramegaError
from aramega.store import Store
from aramega.store.recordings import list_recordings
from aramega.workspace import WorkspaceFolder


def part_of(item: str, parts: int) -> int:
    """Which part, from 0, a recording, or a file that is not read yet, goes to."""
    return int.from_bytes(hashlib.sha256(item.encode("utf-8", "surrogateescape")).digest()[:8], "big") % parts


def name_parts(prefix: Path, parts: int) -> list[WorkspaceFolder]:
    """PREFIX-1 to PREFIX-N, with as many digits as the last one needs."""
    digits = len(str(parts))
    return [
        WorkspaceFolder(prefix.with_name(f"{prefix.name}-{number:0{digits}d}").absolute())
        for number in range(1, parts + 1)
    ]


def fill_part(workspace: WorkspaceFolder, part: WorkspaceFolder, number: int, parts: int) -> Merged:
    """Bring into `part` its share of the workspace. Hold `building` around it."""
    return merge(workspace, part, lambda item: part_of(item, parts) == number)


def check_part(part: WorkspaceFolder, number: int, parts: int) -> None:
    """Raise if the part is there and holds what this split would not put there."""
    if not part.database.exists():
        if part.root.exists() and any(path.name != part.lock.name for path in part.root.iterdir()):
            raise AramegaError(f"{part.root}: is there, and is no workspace. Give another --into, or remove it.")
        return
    with Store.open(part) as store:
        strangers = [r.name for r in list_recordings(store) if part_of(r.id, parts) != number]
    if strangers:
        raise AramegaError(
            f"{part.root}: holds {strangers[0]}, which is of another part, so it is of another split. "
            "Give another --into, or remove it."
        )
