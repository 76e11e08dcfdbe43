"""What the loopback Hub keeps: users, repositories with their history, and the troubles it is told to be in."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

Trouble = Literal["500", "429", "reset", "half", "hang", "lost answer"]


@dataclass(frozen=True)
class User:
    name: str
    organizations: tuple[str, ...] = ()
    role: str = "write"


@dataclass(frozen=True)
class Blob:
    """A file in a commit."""

    oid: str
    """SHA-256 of its content, as LFS has it."""
    size: int
    lfs: bool
    git: str = ""
    """What git calls it, if it is no LFS file."""

    def listed(self, path: str) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "file", "path": path, "oid": self.git or self.oid[:40], "size": self.size}
        if self.lfs:
            told["lfs"] = {"oid": self.oid, "size": self.size, "pointerSize": 134}
        return told


Tree = dict[str, Blob]


@dataclass
class Repository:
    kind: str
    name: str
    private: bool = False
    gated: str | bool = False
    commits: dict[str, Tree] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: int = 0
    log: list[tuple[str, str]] = field(default_factory=list)
    """(commit, message), the oldest first."""

    def __post_init__(self) -> None:
        self.branches["main"] = self.commit("main", {}, "initial commit")

    def commit(self, branch: str, tree: Tree, message: str) -> str:
        told = json.dumps([branch, len(self.log), message, sorted((p, b.oid) for p, b in tree.items())])
        oid = hashlib.sha1(told.encode()).hexdigest()
        self.commits[oid] = dict(tree)
        self.branches[branch] = oid
        self.log.append((oid, message))
        return oid

    def find(self, revision: str) -> str | None:
        if revision in self.commits:
            return revision
        return self.branches.get(revision) or self.tags.get(revision)

    def files(self, revision: str = "main") -> Tree:
        found = self.find(revision)
        assert found, f"{self.name} has no revision {revision}"
        return self.commits[found]


@dataclass
class Fault:
    """Trouble for the next `times` requests whose method and path match."""

    pattern: re.Pattern[str]
    kind: Trouble
    times: int
    after: int = 0
    """Requests that match and are let through first."""
    retry_after: float | None = None
