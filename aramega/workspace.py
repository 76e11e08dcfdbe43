"""The workspace's folder: where each thing of one build lies in it.

Only paths; what is in the database is the store's business, and what one does with a workspace is `aramega.api`'s,
whose `Workspace` is the one that notebooks hold. Everything big is written to a temporary name beside its place
and renamed, so that a name without `.part` is always a whole file.

A workspace may keep its clips and frame tables at an address, too (`files`), where workers on machines that do not
see its folder put and find them. What lies in the folder itself is then a copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aramega.errors import AramegaError
from aramega.locks import is_running
from aramega.remote import checked_address, fetch, file_at, send

FILES = "files.address"
"""Where a workspace notes the address of its files."""

_HOMES = f"aramega-{os.getuid()}-"
"""How the folders begin in which workers that are away keep what they make, one for each workspace."""
_SPACE = Path("/proc/self/ns/pid")
_PROCESSES = f"-{_SPACE.stat().st_ino}" if _SPACE.exists() else ""
"""Containers may share a temporary folder and not their processes: a number that is free here may be at work there."""


@dataclass(frozen=True)
class WorkspaceFolder:
    root: Path
    files: str = ""
    """The address of its clips and frame tables, if they are kept at one."""

    def __post_init__(self) -> None:
        note = self.root / FILES
        if not self.files and note.is_file():
            object.__setattr__(self, "files", checked_address(note.read_text(encoding="utf-8").strip()))

    @property
    def is_away(self) -> bool:
        """Whether this machine does not see the workspace's folder, and takes its files from their address."""
        return bool(self.files) and not self.database.exists()

    @property
    def is_reachable(self) -> bool:
        """Whether what is made on this machine can be found by others."""
        return bool(self.files) or self.database.exists()

    @property
    def home(self) -> Path:
        """The folder on this machine for what is made; away, one of this process alone."""
        if not self.is_away:
            return self.root
        return Path(tempfile.gettempdir()) / f"{_HOMES}{_number(str(self.root))}" / f"{os.getpid()}{_PROCESSES}"

    def tidy_away(self) -> None:
        """Before a worker that is away begins a recording: nobody else removes what it has decoded of others, or what
        workers that were killed have left on this machine, whatever they built. (The driver's `drop_audio` does not
        reach here.)"""
        if not self.is_away:
            return
        for home in _abandoned_homes():
            shutil.rmtree(home, ignore_errors=True)
        for old in (self.home / "scratch").glob("*"):
            if old.suffix != ".part":
                old.unlink(missing_ok=True)

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
    def withdrawn(self) -> Path:
        """The list of recordings that someone wanted out, and that stay out."""
        return self.root / "withdrawn.txt"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def answers(self) -> Path:
        """What language models answered, noted as it came, and what that has cost so far."""
        return self.root / "answers.db"

    def frames(self, recording: str) -> Path:
        """What the analysis heard, frame by frame: some megabytes an hour, kept for re-segmenting."""
        return self.home / "frames" / recording[:2] / f"{recording}.npz"

    def audio(self, recording: str, stream: int) -> Path:
        """The decoded samples, 115 MB an hour: only there while a stage of the same build needs them."""
        return self.home / "scratch" / f"{recording}-{stream}.s16"

    def drop_audio(self, recording: str) -> None:
        """Remove a recording's decoded samples."""
        for audio in (self.home / "scratch").glob(f"{recording}-*.s16"):
            audio.unlink(missing_ok=True)

    def clip(self, recording: str, passage: str) -> Path:
        return self.home / "clips" / recording[:2] / recording / f"{passage}.flac"

    def relative(self, path: Path) -> str:
        return path.relative_to(self.home).as_posix()

    def fetched(self, address: str, stamp: int) -> Path:
        """A recording from an object store, as long as it is needed here."""
        return self.home / "scratch" / f"{_number(address)}-{stamp:x}{Path(address).suffix[:8]}"

    def drop_fetched(self, address: str) -> None:
        for copy in (self.home / "scratch").glob(f"{_number(address)}-*"):
            copy.unlink(missing_ok=True)

    @contextmanager
    def keep(self, path: Path) -> Iterator[Path]:
        """As `whole_file`, and at the address of the files, too."""
        with whole_file(path) as part:
            yield part
            if self.files:
                send(part, self._address(path))

    @contextmanager
    def borrow(self, relative: str) -> Iterator[Path]:
        """One of the workspace's files, here; brought, if it lies elsewhere, and not kept where nobody else would
        use it."""
        path = self.home / relative
        was_here = path.exists()
        self.bring(path)
        yield path
        if self.is_away and not was_here:
            path.unlink(missing_ok=True)

    def bring(self, path: Path) -> bool:
        """Have a file of the workspace here; False if there is none anywhere."""
        if ".." in path.parts:
            raise AramegaError(f"{path}: does not lie in the workspace. This database was not made by aramega.")
        if path.exists():
            return True
        entry = file_at(self._address(path)) if self.files else None
        if entry is None:
            return False
        with whole_file(path) as part:
            fetch(entry, part)
        return True

    def _address(self, path: Path) -> str:
        return f"{self.files}/{self.relative(path)}"

    def drop_scratch(self) -> None:
        """Remove the decoded samples of every recording."""
        shutil.rmtree(self.home / "scratch", ignore_errors=True)

    def drop_leftovers(self) -> None:
        """Remove what a killed build left half written. Only for the holder of the build lock."""
        for folder in ("frames", "scratch", "clips"):
            for part in (self.home / folder).rglob("*.part"):
                part.unlink(missing_ok=True)
        for part in self.root.glob(".*.part"):  # of any command; one that runs may be writing its own
            writer = _writer_of(part)
            if writer and not is_running(writer):
                part.unlink(missing_ok=True)


def _abandoned_homes() -> Iterator[Path]:
    """The folders of this user's workers that were away and are no more. A link in this place, or what is somebody
    else's, is left alone."""
    for homes in Path(tempfile.gettempdir()).glob(f"{_HOMES}*"):
        about = homes.lstat()
        if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid():
            for home in homes.iterdir():
                pid = home.name.removesuffix(_PROCESSES)
                if pid.isdecimal() and not is_running(int(pid)):
                    yield home


def _writer_of(part: Path) -> int | None:
    """The id of the process that writes this temporary file; None if `whole_file` did not name it."""
    pid = part.name.split(".")[-2]
    return int(pid) if pid.isdecimal() else None


def _number(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def note_files(workspace: WorkspaceFolder, address: str) -> WorkspaceFolder:
    """Have the workspace keep its files at this address from now on; before it has any."""
    checked = checked_address(address)
    if workspace.files == checked:
        return workspace
    if workspace.files or workspace.database.exists():
        raise AramegaError(
            f"--files {address}: the files of {workspace.root} are kept {f'at {workspace.files}' if workspace.files else 'in its folder'}. "
            "A workspace keeps to where it began; begin a new one (its recordings will be read again)."
        )
    with whole_file(workspace.root / FILES) as part:
        part.write_text(f"{checked}\n", encoding="utf-8")
    return WorkspaceFolder(workspace.root)


def database_address(path: Path) -> str:
    """How SQLite is to open a workspace's database: on a disk that cannot be written to, without a lock of its own."""
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return path.absolute().as_uri() + ("" if writable else "?mode=ro&immutable=1")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name to write; on success it becomes `path`, on any error it is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # as `_writer_of` reads it
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
