"""The files that a workspace's rows name: clips and frames.

Of a passage that people have worked on, the clip is kept even where the passage itself has been cut otherwise since.
Where such a clip lies follows from the passage's id alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aramega.records import AramegaError
from aramega.store import Store
from aramega.store.clips import is_passage_named, list_clips, list_lost_passages, recording_of
from aramega.store.recordings import has_recording
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True)
class NamedClip:
    """A clip as a row names it."""

    passage: str
    path: str
    """Inside the workspace."""
    sha256: str
    """Empty where only people's work names the clip, and the row that knew its hash is gone."""


def named_clips(store: Store, workspace: WorkspaceFolder) -> Iterator[NamedClip]:
    """Every clip a passage row names, then those that only people's work does."""
    for clip in list_clips(store):
        yield NamedClip(clip.passage, checked_path(clip.path), clip.sha256)
    for passage in list_lost_passages(store):
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


def is_unnamed(store: Store, folder: str, name: str) -> bool:
    """Whether a file in `clips`, `previews` or `frames` has a name of ours that no row names. What is not ours stays."""
    match = (_FRAMES_FILE if folder == "frames" else _PASSAGE_FILE).fullmatch(name)
    if not match:
        return False
    return not (has_recording if folder == "frames" else is_passage_named)(store, match["item"])


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
