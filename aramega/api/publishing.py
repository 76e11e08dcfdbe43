"""Publishing from Python: where to, under which conditions, and what came of it; and what two versions differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from aramega.api.access import Access
from aramega.config import Config
from aramega.errors import AramegaError
from aramega.publish import Published, PublishJob, Target
from aramega.publish import publish as publish_dataset
from aramega.publish.folder import FolderTarget
from aramega.publish.hub import HubTarget, fetch_version
from aramega.publish.index import Difference, compare
from aramega.publish.versions import Version, describe, read_version

if TYPE_CHECKING:
    from aramega.publish.verify import Verified


@dataclass(frozen=True)
class HubOptions:
    """How a version appears on the Hugging Face Hub."""

    private: bool = False
    gated: bool = False
    create_pr: bool = False


@dataclass(frozen=True)
class PublishRequest:
    """What is published, and where to: a folder or a repository on the Hub."""

    config: Config
    to: Path | None = None
    repo: str | None = None
    tag: str = ""
    hub: HubOptions = field(default_factory=HubOptions)
    withdrawn: Path | None = None
    format: str = "parquet"
    force: bool = False


@dataclass(frozen=True)
class Publication:
    """What came of it."""

    published: Published
    target: Target

    @property
    def changed(self) -> bool:
        """False where the target had all of it already, and on a dry run."""
        return self.published.changed

    @property
    def notes(self) -> tuple[str, ...]:
        return self.published.plan.notes

    @property
    def left_out(self) -> dict[str, int]:
        """Passages that were not published, by reason, the most frequent first."""
        funnel = self.published.plan.funnel
        reasons = {reason: times for reason, times in funnel.items() if reason and times}
        return dict(sorted(reasons.items(), key=lambda entry: -entry[1]))

    def describe(self) -> list[str]:
        """What changed, a line a configuration and split."""
        return [line.replace("`", "") for line in describe(self.published.changes)]


@dataclass(frozen=True)
class VersionDifference:
    """What two published versions differ in."""

    old: Version
    new: Version
    changes: Mapping[str, Difference]

    def describe(self) -> list[str]:
        return [line.replace("`", "") for line in describe(self.changes)]


def publish(workspace: Access, request: PublishRequest, *, dry_run: bool = False) -> Publication:
    """Publish what the workspace holds; a dry run only says what would change."""
    if (request.to is None) == (request.repo is None):
        raise AramegaError("say where to: a folder (--out DIR) or a repository (--repo ORG/NAME), one of the two.")
    target = _make_target(workspace, request)
    with workspace.reading(files=True) as store:
        job = PublishJob(
            request.config.publish,
            request.config.label,
            target,
            tag=request.tag,
            withdrawn=request.withdrawn,
            format=request.format,
            dry_run=dry_run,
            say=workspace.notify,
        )
        published = publish_dataset(store, workspace.folder, job)
    return Publication(published, target)


def verify(publication: Publication, request: PublishRequest) -> Verified:
    """Load what was published as a stranger would, and compare every row and clip."""
    from aramega.publish.verify import verify

    if request.hub.create_pr:
        raise AramegaError("--verify reads what is on main, and --create-pr leaves main as it was: merge it first.")
    version = publication.target.published()
    if "ssum" not in {name.partition("/")[0] for name in version.files}:
        raise AramegaError("--verify reads parquet: other formats have readers of their own.")
    return verify(version, publication.target.name)


@contextmanager
def comparing(old: str, new: str) -> Iterator[VersionDifference]:
    """Two published versions side by side, by their indexes, without their audio."""
    with TemporaryDirectory() as scratch:
        before, after = (_read_version(name, Path(scratch) / side) for name, side in ((old, "old"), (new, "new")))
        yield VersionDifference(before, after, compare(before.indexes, after.indexes))


def _make_target(workspace: Access, request: PublishRequest) -> Target:
    if request.to is not None:
        return FolderTarget(request.to.expanduser().absolute(), force=request.force)
    assert request.repo is not None
    gate: Literal["auto", ""] = "auto" if request.hub.gated else ""
    return HubTarget(
        request.repo,
        workspace.folder,
        request.tag,
        request.hub.private,
        gate,
        request.hub.create_pr,
        request.force,
        workspace.notify,
    )


def _read_version(name: str, folder: Path) -> Version:
    """A version in a folder, or fetched from the Hub."""
    if Path(name).is_dir():
        version = read_version(Path(name), name)
    elif name.partition("@")[0].count("/") == 1 and not name.startswith((".", "/")):
        repo, _, revision = name.partition("@")
        version = fetch_version(repo, revision or None, folder)
    else:
        raise AramegaError(f"{name}: no such folder, and not org/name[@revision] on the Hub.")
    if version is None:
        raise AramegaError(f"{name}: no version that `aramega publish` made (it has no manifest.json of ours).")
    return version
