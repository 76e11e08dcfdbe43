"""Versions: what was published before, what it says of itself, and the changelog between two of them.

A version is a folder, or what of it was fetched from the Hub: manifest, index, split assignments, changelog.
No audio is needed to know what changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aramega.publish.index import Difference
from aramega.publish.splits import SPLITS, SplitAssignments, read_split_assignments
from aramega.records import AramegaError

MANIFEST, SPLIT_ASSIGNMENTS, CHANGELOG, INDEX = "manifest.json", "splits.json", "CHANGELOG.md", "index"
MADE_BY = "aramega publish"
FILES = (MANIFEST, SPLIT_ASSIGNMENTS, CHANGELOG, f"{INDEX}/*")
"""All that is read of an earlier version."""


@dataclass(frozen=True)
class Version:
    """A published version, as far as it can be read without audio."""

    where: str
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["version"])

    @property
    def number(self) -> int:
        return int(self.manifest["number"])

    @property
    def date(self) -> str:
        return str(self.manifest["date"])

    @property
    def fingerprint(self) -> str:
        return str(self.manifest["fingerprint"])

    @property
    def files(self) -> Mapping[str, int]:
        """Its shards and their sizes in bytes."""
        return dict(self.manifest["files"])

    @property
    def classes(self) -> Mapping[str, Sequence[str]]:
        """The labels of `dialect` and `emotion`, in the order of their numbers."""
        return {str(kind): tuple(map(str, labels)) for kind, labels in self.manifest.get("classes", {}).items()}

    @property
    def indexes(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((self.folder / INDEX).glob("*.parquet"))}

    @property
    def changelog(self) -> str:
        path = self.folder / CHANGELOG
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def split_assignments(self) -> SplitAssignments | None:
        return read_split_assignments(self.folder / SPLIT_ASSIGNMENTS)


@dataclass(frozen=True)
class Release:
    """What the version that is being made calls itself."""

    version: str
    number: int
    date: str
    changelog: str


def read_version(folder: Path, where: str) -> Version | None:
    """The version in a folder; None where `aramega publish` has left none."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest.get("made_by") != MADE_BY:
            return None
        version = Version(where, folder, manifest)
        _ = version.name, version.number, version.date, version.fingerprint, version.files
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AramegaError(
            f"{where}: its {MANIFEST} cannot be read ({error!r}). Restore it, or publish elsewhere."
        ) from None
    return version


def make_changelog(
    before: Version | None, release: str, date: str, changes: Mapping[str, Difference], withdrawn: int
) -> str:
    """The changelog with this version's entry on top."""
    lines = [f"## {release} ({date})", "", *(f"- {line}" for line in describe(changes, first=before is None))]
    if withdrawn:
        lines.append(f"- {withdrawn} recording{'s' * (withdrawn > 1)} withdrawn")
    older = before.changelog.removeprefix("# Changelog").strip() if before else ""
    return "\n".join(["# Changelog", "", *lines, "", older]).strip() + "\n"


def describe(changes: Mapping[str, Difference], *, first: bool = False) -> Iterator[str]:
    """A line for each configuration."""
    for name, difference in changes.items():
        if first:
            counted = ", ".join(f"{difference.after[s]:,} {s}" for s in SPLITS if difference.after[s])
            yield f"`{name}`: {counted or 'no rows'}"
            continue
        parts = [
            f"{len(difference.added):,} added" if difference.added else "",
            f"{len(difference.removed):,} removed" if difference.removed else "",
            _changed(difference),
            f"{len(difference.moved):,} moved to another split" if difference.moved else "",
        ]
        yield f"`{name}`: {', '.join(filter(None, parts)) or 'unchanged'}"


def _changed(difference: Difference) -> str:
    if not difference.changed:
        return ""
    what = ", ".join(f"{name} {times:,}" for name, times in difference.in_what().most_common())
    return f"{len(difference.changed):,} changed ({what})"
