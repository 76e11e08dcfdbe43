"""Progress file: writes and reads `progress.json`, in which a build's driver says how far it is.

It is written beside its place and renamed, so nobody ever reads half of one. Whether its build is still there is not for
the file to say, since a killed driver writes nothing more. The workspace's lock tells, which the kernel takes back from
a process however it ends; on another machine, where that can't be asked, the file's age does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timezone

from aramega.engine.worker import this_node
from aramega.locks import holder_of, is_running
from aramega.records import BuildProgress, from_json
from aramega.records.progress import VERSION
from aramega.workspace import WorkspaceFolder

SILENCE = 60.0
"""Seconds without a word after which a build on another machine counts as unheard of: it writes every second, but
clocks differ, and a network disk may keep a file back for some time."""

_NAME = "progress.json"


def write_progress(workspace: WorkspaceFolder, progress: BuildProgress) -> None:
    """Write the file. Only for the holder of the workspace's lock: all writers use the same temporary name, so that a
    killed one leaves one such file and no more."""
    part = workspace.root / f".{_NAME}.part"
    part.write_text(json.dumps(asdict(progress), ensure_ascii=False, indent=1), encoding="utf-8", errors="replace")
    part.replace(workspace.root / _NAME)


def read_progress(workspace: WorkspaceFolder, now: datetime | None = None) -> BuildProgress | None:
    """The last build's progress, with its state as it is now: `killed` or `unheard` where the driver is gone or silent.

    None where no build has written any, or a newer aramega has, in a shape that we do not know."""
    progress = read_as_written(workspace)
    if progress is None or progress.state != "building":
        return progress
    if progress.host == this_node():
        return progress if _is_at_work(workspace, progress.pid) else replace(progress, state="killed")
    age = (now or datetime.now(timezone.utc)) - datetime.fromisoformat(progress.at)
    heard = age.total_seconds() < SILENCE
    return progress if heard else replace(progress, state="unheard")


def read_as_written(workspace: WorkspaceFolder) -> BuildProgress | None:
    """The progress as the file has it, whatever has become of the build; None where there is none we can read."""
    try:
        text = (workspace.root / _NAME).read_text(encoding="utf-8")
        if json.loads(text)["version"] != VERSION:
            return None
        return from_json(BuildProgress, text)
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or a disk's accident: nobody's build depends on it
        return None


def _is_at_work(workspace: WorkspaceFolder, pid: int) -> bool:
    """Whether this process builds in the workspace. Its number alone says nothing: another may have it by now."""
    try:
        holder = holder_of(workspace.lock)
    except PermissionError:  # a file that may not be opened says nothing; the process is there
        return is_running(pid)
    return is_running(pid) if holder == 0 else holder == pid
