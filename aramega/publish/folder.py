"""A folder as the place of publication: the new version takes the old one's place in one move.

It is staged beside its place, on the same disk, and renamed. Between the two renames of a swap there is no
version for an instant; a run killed just then is finished by the next one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from aramega.publish.staging import files_in
from aramega.publish.versions import Version, read_version
from aramega.records import AramegaError


@dataclass(frozen=True)
class FolderTarget:
    folder: Path
    force: bool = False

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def link(self) -> str:
        return ""

    @property
    def scratch(self) -> Path:
        """Where a run may leave what it needs for itself."""
        return self.folder.parent

    def check(self) -> None:
        """Refuse a folder that holds something else, before any work is done."""
        self._finish_swap()
        if self.folder.exists() and not self.folder.is_dir():
            raise AramegaError(f"{self.folder}: is a file. --to takes a folder.")
        foreign = self.folder.is_dir() and any(self.folder.iterdir()) and self.before() is None
        if foreign and not self.force:
            raise AramegaError(
                f"{self.folder}: holds something that aramega did not publish. Name another folder, or --force to "
                "have it replaced."
            )
        self.folder.parent.mkdir(parents=True, exist_ok=True)

    def before(self) -> Version | None:
        return read_version(self.folder, self.name) if self.folder.is_dir() else None

    def published(self) -> Version:
        version = self.before()
        assert version is not None
        return version

    def staging(self, fingerprint: str) -> Path:
        return self.folder.with_name(f".{self.folder.name}.{fingerprint}.staged")

    def deliver(self, staged: Path, fingerprint: str) -> bool:
        """Put what was staged in its place; whether that changed anything."""
        before = self.before()
        if before is not None and before.fingerprint == fingerprint:
            changed = self._replace_small_files(staged)
            shutil.rmtree(staged)
        else:
            changed = True
            for part in staged.rglob("*.part"):
                part.unlink()
            if self.folder.exists():
                self.folder.rename(self._old)
            staged.rename(self.folder)
            shutil.rmtree(self._old, ignore_errors=True)
        for stale in self.folder.parent.glob(f".{self.folder.name}.*.staged"):
            shutil.rmtree(stale)
        return changed

    @property
    def _old(self) -> Path:
        return self.folder.with_name(f".{self.folder.name}.old")

    def _finish_swap(self) -> None:
        """A run was killed between two renames: the old version comes back, and what was staged is still there."""
        if self._old.exists() and not self.folder.exists():
            self._old.rename(self.folder)
        shutil.rmtree(self._old, ignore_errors=True)

    def _replace_small_files(self, staged: Path) -> bool:
        changed = False
        for name in files_in(staged):
            new, old = (staged / name).read_bytes(), self.folder / name
            if not old.is_file() or old.read_bytes() != new:
                old.parent.mkdir(parents=True, exist_ok=True)
                (staged / name).replace(old)
                changed = True
        return changed
