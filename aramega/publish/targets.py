"""Targets: the places where a version can be published, as publishing sees them (`folder`, `hub`)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from aramega.publish.versions import Version


class Target(Protocol):
    """Where a version is published."""

    @property
    def name(self) -> str:
        """What people load it by."""

    @property
    def link(self) -> str:
        """Where to look at what was published, if that is not its name."""

    @property
    def scratch(self) -> Path:
        """A folder on the disk where versions are staged."""

    def check(self) -> None:
        """Raise for whatever would keep us from publishing there, before any work is done."""

    def before(self) -> Version | None:
        """The version that is there now."""

    def published(self) -> Version:
        """The version that is there after a delivery."""

    def staging(self, fingerprint: str) -> Path:
        """Where a version is made before it can be seen; raises if it could not be seen there under its name."""

    def deliver(self, staged: Path, fingerprint: str) -> bool:
        """Let the staged version be seen; whether that changed anything."""
