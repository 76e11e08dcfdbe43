"""What a workspace's rows name: clips, frames, and the passages that people have worked on.

A passage that somebody reviewed, or is about to (its task waits in a Label Studio), is in people's hands: its
clip and its draft are kept even where the passage itself has been cut otherwise since. Where such a clip lies
follows from the passage's id alone.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aramega.records import AramegaError
from aramega.workspace import WorkspaceFolder

PEOPLE = ("reviews", "resolved", "tasks")
"""The tables that hold people's work, each with a column `passage`."""


@dataclass(frozen=True)
class NamedClip:
    """A clip as a row names it."""

    passage: str
    path: str
    """Inside the workspace."""
    sha256: str
    """Empty where only people's work names the clip, and the row that knew its hash is gone."""


def recording_of(passage: str) -> str:
    """The recording that a passage's id says it is of."""
    return passage.rsplit("-", 2)[0]


def id_range(recording: str) -> tuple[str, str]:
    """The ids of a recording's passages and segments, as the half-open range they sort into."""
    return f"{recording}-", f"{recording}."  # "." sorts right after "-"


def is_in_hands(passage: str, schema: str = "main") -> str:
    """SQL that is true where people have worked on, or are to work on, the passage that `passage` names."""
    told = (f"{passage} IN (SELECT passage FROM {schema}.{table})" for table in PEOPLE)  # noqa: S608
    return f"({' OR '.join(told)})"


def named_clips(connection: sqlite3.Connection, workspace: WorkspaceFolder) -> Iterator[NamedClip]:
    """Every clip a passage row names, then those that only people's work does."""
    for row in connection.execute("SELECT id, clip, clip_sha256 FROM passages ORDER BY id"):
        yield NamedClip(row[0], checked_path(row[1]), row[2])
    union = " UNION ".join(f"SELECT passage FROM {table}" for table in PEOPLE)  # noqa: S608
    query = f"SELECT passage FROM ({union}) WHERE passage NOT IN (SELECT id FROM passages) ORDER BY passage"  # noqa: S608
    for (passage,) in connection.execute(query):
        yield NamedClip(passage, clip_path(workspace, passage), "")


def clip_path(workspace: WorkspaceFolder, passage: str) -> str:
    """Where the clip of a passage lies whose row is gone."""
    return checked_path(workspace.relative(workspace.clip(recording_of(passage), passage)))


def frame_paths(workspace: WorkspaceFolder, recording: str) -> tuple[str, str]:
    """What the analysis heard of a recording, and what it came to in short."""
    frames = workspace.frames(recording)
    return workspace.relative(frames), workspace.relative(frames.with_suffix(".json"))


_PASSAGE_FILE = re.compile(r"(?P<item>.+-\d{9,}-\d{9,})\.(?:flac|mp3|ogg)")
_FRAMES_FILE = re.compile(r"(?P<item>[0-9A-Za-z]+)\.(?:npz|json)")


def is_unnamed(connection: sqlite3.Connection, folder: str, name: str) -> bool:
    """Whether a file in `clips`, `previews` or `frames` has a name of ours that no row names. What is not ours stays."""
    match = (_FRAMES_FILE if folder == "frames" else _PASSAGE_FILE).fullmatch(name)
    if not match:
        return False
    if folder == "frames":
        known = "SELECT EXISTS (SELECT 1 FROM recordings WHERE id = ?1)"
    else:
        known = f"SELECT EXISTS (SELECT 1 FROM passages WHERE id = ?1) OR {is_in_hands('?1')}"  # noqa: S608
    return not connection.execute(known, (match["item"],)).fetchone()[0]


def checked_path(path: str) -> str:
    """`path`, if it lies inside a workspace's clips: a database may come from anyone."""
    parts = PurePosixPath(path).parts
    if parts[:1] != ("clips",) or ".." in parts or "\\" in path:
        raise AramegaError(
            f"{path}: named as a clip, but no path inside clips/. This database was not made by aramega."
        )
    return path


def files_below(folder: Path) -> Iterator[Path]:
    """Every file in a folder and its folders, in order, a folder at a time; none where there is no such folder."""
    for at, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(at, name) for name in sorted(files))
