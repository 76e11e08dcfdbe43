"""The workspace: the folder of one build, and where each thing lies in it.

Only names of places; what is in the database is the store's business. Everything big is written to a
temporary name beside its place and renamed, so that a name without `.part` is always a whole file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    root: Path

    @property
    def database(self) -> Path:
        return self.root / "aramega.db"

    @property
    def lock(self) -> Path:
        return self.root / "build.lock"

    @property
    def config(self) -> Path:
        return self.root / "aramega.toml"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def answers(self) -> Path:
        """What language models answered, noted as it came, and what that has cost so far."""
        return self.root / "answers.db"

    def frames(self, recording: str) -> Path:
        """What the analysis heard, frame by frame: some megabytes an hour, kept for re-segmenting."""
        return self.root / "frames" / recording[:2] / f"{recording}.npz"

    def audio(self, recording: str, stream: int) -> Path:
        """The decoded samples, 115 MB an hour: only there while a stage of the same build needs them."""
        return self.root / "scratch" / f"{recording}-{stream}.s16"

    def drop_audio(self, recording: str) -> None:
        """Remove a recording's decoded samples."""
        for audio in (self.root / "scratch").glob(f"{recording}-*.s16"):
            audio.unlink(missing_ok=True)

    def clip(self, recording: str, passage: str) -> Path:
        return self.root / "clips" / recording[:2] / recording / f"{passage}.flac"

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def drop_scratch(self) -> None:
        """Remove the decoded samples of every recording."""
        shutil.rmtree(self.root / "scratch", ignore_errors=True)

    def drop_leftovers(self) -> None:
        """Remove what a killed build left half written. Only for the holder of the build lock."""
        for folder in ("frames", "scratch", "clips"):
            for part in (self.root / folder).rglob("*.part"):
                part.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name to write; on success it becomes `path`, on any error it is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
