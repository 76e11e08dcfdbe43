"""What a workspace holds, as a value that can be compared; small workspaces; and commands killed at an exact call."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from aramega.config import Config, save_config
from aramega.records import ResolvedPassage, Review
from aramega.store import Store
from aramega.store.reviews import add_reviews, write_resolved
from aramega.workspace import Workspace
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


def timeless(root: Path) -> dict[str, object]:
    """All but when, and for how long, each thing was made; the judge's book is of the times of all others."""
    return {**contents(root), "results": [row[:5] for row in rows(root)["results"] if row[1] != "workspace"]}


def a_workspace(folder: Path, numbers: Sequence[int] = (0, 1, 2), passages: int = 2) -> Workspace:
    """A workspace of drafted recordings, by number, with clips, frames and a configuration."""
    place = Workspace(folder)
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


def passages_of(place: Workspace, recording: int) -> list[str]:
    with Store.open(place) as store:
        return [passage.id for passage in store.passages(f"{recording:016x}")]


def review(place: Workspace, passage: str, name: str = "huda") -> Review:
    """Someone reviews a passage, and it is settled."""
    said = Annotator(name).says(passage, transcript="نص مصحح")
    with Store.create_or_open(place) as store:
        add_reviews(store, [said])
        write_resolved(store, [ResolvedPassage(passage, True, reviews=(said.id,), resolved_at=said.updated_at)])
    return said


def cut_otherwise(place: Workspace, recording: int) -> list[str]:
    """The recording's passages become one, its first, as other options might have it; the old clips and drafts stay.
    Gives the passages that are no more."""
    with Store.create_or_open(place) as store:
        first, *others = store.passages(f"{recording:016x}")
        moved = replace(first, segments=first.segments[:1])
        store.connection.execute("DELETE FROM passages WHERE recording = ? AND id <> ?", (moved.recording, moved.id))
    return [passage.id for passage in others]


def copy_of(place: Workspace, folder: Path) -> Workspace:
    shutil.copytree(place.root, folder)
    return Workspace(folder)


def fall_at(call: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command line that is killed with SIGKILL at its nth call into C from the code that changes workspaces;
    0 lets it live, and its last line of errors says how many there were."""
    line = [sys.executable, "-c", _FALLS, str(call), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


_FALLS = """
import os, signal, sys
import aramega.cli
import aramega.build, aramega.housekeeping.backup, aramega.housekeeping.collect, aramega.housekeeping.split

at, calls = int(sys.argv[1]), 0
ROOMS = ("aramega.housekeeping", "aramega.workspace", "aramega.store", "pathlib", "shutil")

def look(frame, event, argument):
    global calls
    if event == "c_call" and frame.f_globals.get("__name__", "").startswith(ROOMS):
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(look)
code = aramega.cli.run(sys.argv[2:])
sys.setprofile(None)
print(calls, file=sys.stderr)
sys.exit(code)
"""
