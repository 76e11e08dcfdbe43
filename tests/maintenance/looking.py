"""What a workspace holds, as a value that can be compared; small workspaces; and commands killed at an exact call."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from aramega.config import Config, save_config
from aramega.records import ResolvedPassage, Review
from aramega.store import Store
from aramega.store.recordings import list_passages
from aramega.store.reviews import add_reviews, write_resolved
from aramega.workspace import WorkspaceFolder
from tests.support.cli import run_cli
from tests.support.database import connection_of
from tests.support.drafts import Annotator, put_drafted
from tests.support.workspaces import a_recording

FOLDERS = ("clips", "frames")


def rows(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(root / "aramega.db")) as connection:
        tables = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def files(root: Path, folders: Sequence[str] = FOLDERS) -> dict[str, str]:
    """Every clip and all frames, by what they hold."""
    paths = [path for folder in folders for path in sorted((root / folder).rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def contents(root: Path) -> dict[str, object]:
    return {**rows(root), **files(root)}


def every_byte(root: Path) -> dict[str, bytes]:
    """Every file below the folder, as it is."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def timeless(root: Path) -> dict[str, object]:
    """All but when, and for how long, each thing was made; the judge's book is of the times of all others."""
    return {**contents(root), "results": [row[:5] for row in rows(root)["results"] if row[1] != "workspace"]}


def a_workspace(folder: Path, numbers: Sequence[int] = (0, 1, 2), passages: int = 2) -> WorkspaceFolder:
    """A workspace of drafted recordings, by number, with clips, frames and a configuration."""
    place = WorkspaceFolder(folder)
    with Store.create_or_open(place) as store:
        for number in numbers:
            known = a_recording(f"{number:016x}", f"نشرة {number}.mp3", 4.0 * passages)
            put_drafted(store, place, known, passages, seconds=4.0, clips=True, seed=number * passages)
            frames = place.frames(known.id)
            frames.parent.mkdir(parents=True, exist_ok=True)
            frames.write_bytes(known.id.encode() * 20)
            frames.with_suffix(".json").write_text("{}")
    save_config(Config(), place.config)
    return place


def passages_of(place: WorkspaceFolder, recording: int) -> list[str]:
    with Store.open(place) as store:
        return [passage.id for passage in list_passages(store, f"{recording:016x}")]


def review(place: WorkspaceFolder, passage: str, name: str = "huda") -> Review:
    """Someone reviews a passage, and it is settled."""
    said = Annotator(name).says(passage, transcript="نص مصحح")
    with Store.create_or_open(place) as store:
        add_reviews(store, [said])
        write_resolved(store, [ResolvedPassage(passage, True, reviews=(said.id,), resolved_at=said.updated_at)])
    return said


def cut_otherwise(place: WorkspaceFolder, recording: int) -> list[str]:
    """The recording's passages become one, its first, as other options might have it; the old clips and drafts stay.
    Gives the passages that are no more."""
    with Store.create_or_open(place) as store:
        first, *others = list_passages(store, f"{recording:016x}")
        moved = replace(first, segments=first.segments[:1])
        connection_of(store).execute(
            "DELETE FROM passages WHERE recording = ? AND id <> ?", (moved.recording, moved.id)
        )
    return [passage.id for passage in others]


def copy_of(place: WorkspaceFolder, folder: Path) -> WorkspaceFolder:
    shutil.copytree(place.root, folder)
    return WorkspaceFolder(folder)


@dataclass(frozen=True)
class Fallen:
    """How a command ended."""

    code: int
    err: str = ""
    calls: int = 0
    """How many there were, if it was let live."""


def fall_at(call: int, *arguments: str | Path) -> Fallen:
    """Run a command line in a process forked from this one, that is killed with SIGKILL at its nth call into C from the
    code that changes workspaces; 0 lets it live."""
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_run_and_fall, args=(call, arguments, theirs))
    process.start()
    theirs.close()
    try:
        fallen: Fallen = ours.recv()
    except EOFError:
        process.join()
        return Fallen(process.exitcode)
    process.join()
    return fallen


_FORK: Any = multiprocessing.get_context("fork")
_ROOMS = (
    "aramega.maintenance",
    "aramega.workspace",
    "aramega.store",
    "aramega.backends.llm.journal",
    "pathlib",
    "shutil",
)


def _run_and_fall(at: int, arguments: Sequence[str | Path], pipe: Connection) -> None:
    calls = 0

    def look(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        if event == "c_call" and frame.f_globals.get("__name__", "").startswith(_ROOMS):
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(look)
    done = run_cli(*arguments)
    sys.setprofile(None)
    pipe.send(Fallen(done.code, done.err, calls))
