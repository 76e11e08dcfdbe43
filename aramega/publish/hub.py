"""The Hub as the place of publication: files first, one by one, then one commit, then the tag.

`push_to_hub` of a large audio set converts, uploads and commits in one go, and starts over when it dies. Here
the shards lie whole in the workspace before the first is sent; each is sent by itself, tried again while
trouble passes, and skipped if the Hub has its bytes already. Nobody sees anything until the one commit that
holds the whole version, and the tag is set on that commit only. So a run that is killed anywhere goes on.

The token is huggingface_hub's business (`hf auth login`, or HF_TOKEN); it is never asked for, kept or shown.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from aramega.publish.hub_troubles import explain, is_passing, status_of
from aramega.publish.staging import Say, files_in
from aramega.publish.versions import FILES, INDEX, MANIFEST, Version, read_version
from aramega.records import AramegaError
from aramega.retry import PATIENCE, retry
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

OURS = ("ssum/", "asr/", "text_summ/", "raw/", f"{INDEX}/", "assets/")
"""Folders that hold nothing but what we publish: what is not in the new version goes."""
ALWAYS_THERE = (".gitattributes",)
HARMLESS = (".gitattributes", "README.md", "LICENSE", "LICENSE.md")
"""A repository with no more than these belongs to nobody's data yet."""

R = TypeVar("R")


@dataclass
class HubTarget:
    repo: str
    workspace: WorkspaceFolder
    tag: str = ""
    private: bool = False
    gated: Literal["auto", "manual", ""] = ""
    create_pr: bool = False
    force: bool = False
    say: Say = lambda _: None
    _head: str | None = field(default=None, init=False)
    """The commit that `main` stood at when we looked; None where there is no repository."""
    _remote: dict[str, str] = field(default_factory=dict, init=False)
    """What `main` holds: path → the hash the Hub knows it by."""
    _link: str = field(default="", init=False)

    @property
    def name(self) -> str:
        return self.repo

    @property
    def link(self) -> str:
        """Where to look at what was published."""
        return self._link

    @property
    def scratch(self) -> Path:
        return self.workspace.root / "publish"

    @property
    def api(self) -> Any:
        from huggingface_hub import HfApi

        return HfApi(library_name="aramega")

    def check(self) -> None:
        """Ask the Hub, before any work is done, whether this token may publish here and nothing is in the way."""
        from huggingface_hub import get_token

        if self.repo.count("/") != 1 or not all(self.repo.split("/")):
            raise AramegaError(f"--repo {self.repo}: give it as org/name or user/name.")
        if self.create_pr and self.tag:
            raise AramegaError("--create-pr proposes a version, --tag names a published one: give one of the two.")
        if not get_token():
            raise AramegaError(
                "no token for the Hub: `hf auth login` keeps one, or set HF_TOKEN. It needs write access."
            )
        self._check_token()
        self._look()
        if self._head is None:
            return
        if not self.create_pr:
            self._ask(lambda: self.api.auth_check(self.repo, repo_type="dataset", write=True), "asking who may write")
        foreign = [path for path in self._remote if path not in HARMLESS]
        if foreign and not self.force and self.before() is None:
            raise AramegaError(
                f"{self.repo}: holds something that aramega did not publish ({foreign[0]}, {len(foreign)} files). "
                "Publish to another name, or --force to have it replaced."
            )

    def before(self) -> Version | None:
        if self._head is None or MANIFEST not in self._remote:
            return None
        return fetch_version(self.repo, self._head, self.scratch / "before" / self._head)

    def published(self) -> Version:
        self._look()
        version = self.before()
        assert version is not None
        return version

    def staging(self, fingerprint: str) -> Path:
        """Where the version is made; raises if its tag is another's already."""
        taken = self._tags().get(self.tag)
        before = self.before()
        same = before is not None and before.fingerprint == fingerprint
        if taken and not (same and taken == self._head):
            raise AramegaError(f"{self.repo}: has a tag {self.tag} already, of another version. Choose another --tag.")
        return self.scratch / f"staged-{fingerprint}"

    def deliver(self, staged: Path, fingerprint: str) -> bool:
        """Upload, commit, tag. Each step that was done before is skipped."""
        before = self.before()
        same = before is not None and before.fingerprint == fingerprint
        if self._head is None:
            self._create()
        elif self.gated:
            self._set_gate()
        additions = self._additions(staged)
        self._send(additions)
        deletions = [] if same else self._deletions(staged)
        if additions or deletions:
            self._commit([*additions, *deletions], fingerprint, self._message(staged, same=same))
        if self.tag and self._tags().get(self.tag) != self._head:
            self._ask(
                lambda: self.api.create_tag(self.repo, tag=self.tag, revision=self._head, repo_type="dataset"),
                f"setting the tag {self.tag}",
            )
        for left in (*self.scratch.glob("staged-*"), self.scratch / "before"):
            shutil.rmtree(left, ignore_errors=True)
        return bool(additions or deletions)

    # Looking

    def _check_token(self) -> None:
        account = self._ask(self.api.whoami, "asking whose token this is")
        role = account.get("auth", {}).get("accessToken", {}).get("role", "")
        if role == "read":
            raise AramegaError(
                "the token may only read: make one with write access at https://huggingface.co/settings/tokens, "
                "then `hf auth login` again."
            )
        places = {account["name"], *(organization["name"] for organization in account.get("orgs", ()))}
        if self.repo.partition("/")[0] not in places and not self.create_pr:
            raise AramegaError(
                f"--repo {self.repo}: this token is {account['name']}'s, who may publish under "
                f"{', '.join(sorted(places))} and not under {self.repo.partition('/')[0]}."
            )

    def _look(self) -> None:
        """What `main` holds now."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            about = self._ask(lambda: self.api.dataset_info(self.repo), f"looking at {self.repo}", passing_only=True)
        except RepositoryNotFoundError:
            self._head, self._remote = None, {}
            return
        self._head = about.sha
        listed = self._ask(
            lambda: list(self.api.list_repo_tree(self.repo, recursive=True, revision=self._head, repo_type="dataset")),
            f"listing {self.repo}",
        )
        files = [file for file in listed if hasattr(file, "blob_id")]
        self._remote = {file.path: file.lfs.sha256 if file.lfs else file.blob_id for file in files}

    def _tags(self) -> dict[str, str]:
        if self._head is None or not self.tag:
            return {}
        refs = self._ask(lambda: self.api.list_repo_refs(self.repo, repo_type="dataset"), "asking for tags")
        return {tag.name: tag.target_commit for tag in refs.tags}

    # Writing

    def _create(self) -> None:
        self._ask(
            lambda: self.api.create_repo(self.repo, repo_type="dataset", private=self.private or None, exist_ok=True),
            f"making {self.repo}",
        )
        if self.gated:
            self._set_gate()  # before there is anything to see
        self._look()

    def _set_gate(self) -> None:
        self._ask(
            lambda: self.api.update_repo_settings(self.repo, gated=self.gated, repo_type="dataset"),
            f"closing the gate of {self.repo}",
        )

    def _send(self, additions: Sequence[CommitOperationAdd]) -> None:
        """Send what the Hub doesn't have, a file at a time; a file that it has by its hash costs one question."""
        for addition in additions:
            self._ask(partial(self._preupload, addition), f"uploading {addition.path_in_repo}")
            self.say(f"uploaded {addition.path_in_repo}")

    def _preupload(self, addition: CommitOperationAdd) -> None:
        self.api.preupload_lfs_files(
            self.repo,
            [addition],
            repo_type="dataset",
            revision=self._head if self.create_pr else None,
            create_pr=self.create_pr or None,
            free_memory=False,
        )

    def _additions(self, staged: Path) -> list[CommitOperationAdd]:
        """The files that `main` doesn't hold as they are."""
        from huggingface_hub import CommitOperationAdd

        additions = []
        for name in files_in(staged):
            addition = CommitOperationAdd(path_in_repo=name.as_posix(), path_or_fileobj=staged / name)
            remote = self._remote.get(name.as_posix(), "")
            ours = addition.upload_info.sha256.hex() if len(remote) == 64 else git_hash(staged / name) if remote else ""
            if not remote or ours != remote:
                additions.append(addition)
        return additions

    def _deletions(self, staged: Path) -> list[CommitOperationDelete]:
        from huggingface_hub import CommitOperationDelete

        new = {name.as_posix() for name in files_in(staged)}
        old = [path for path in self._remote if path not in new and path not in ALWAYS_THERE]
        before_is_ours = self.before() is not None
        gone = [path for path in old if path.startswith(OURS) or not before_is_ours]
        return [CommitOperationDelete(path_in_repo=path) for path in gone]

    def _commit(self, operations: Sequence[Any], fingerprint: str, message: str) -> None:
        """One commit. If its answer is lost, the Hub is asked whether it happened before it is tried again."""

        head = self._head

        def commit_once() -> None:
            try:
                commit = self.api.create_commit(
                    self.repo,
                    operations,
                    commit_message=message,
                    repo_type="dataset",
                    parent_commit=head,
                    create_pr=self.create_pr or None,
                )
            except Exception:
                if self._is_committed(head, fingerprint):
                    return
                raise
            self._link = commit.pr_url or commit.commit_url
            if not self.create_pr:
                self._head = commit.oid

        self._ask(commit_once, f"committing to {self.repo}")

    def _is_committed(self, head: str | None, fingerprint: str) -> bool:
        """Whether `main` has moved from `head` to our version; raises if it has moved to somebody else's."""
        self._look()
        if self._head == head:
            return False
        now = self.before()
        if now is not None and now.fingerprint == fingerprint:
            return True
        raise AramegaError(
            f"{self.repo}: someone else committed to it meanwhile. Nothing of ours was published; run again."
        )

    def _message(self, staged: Path, *, same: bool) -> str:
        version = read_version(staged, str(staged))
        assert version is not None
        return f"Card of version {version.name}" if same else f"Version {version.name}"

    # Patience

    def _ask(self, call: Callable[[], R], doing: str, *, passing_only: bool = False) -> R:
        """Call the Hub, again while its trouble may pass; what stays becomes one line a curator can act on."""
        try:
            return retry(call, may_pass=is_passing, doing=doing, patience=2 * PATIENCE, say=self.say)
        except AramegaError:
            raise
        except Exception as error:
            if passing_only and status_of(error) in (401, 404):
                raise
            raise explain(error, doing) from error


def fetch_version(repo: str, revision: str | None, folder: Path) -> Version | None:
    """A version on the Hub, without its audio."""
    from huggingface_hub import snapshot_download

    if not (folder / MANIFEST).is_file():
        try:
            snapshot_download(
                repo, repo_type="dataset", revision=revision, allow_patterns=list(FILES), local_dir=folder
            )
        except Exception as error:
            raise explain(error, f"reading {repo}") from error
    return read_version(folder, f"{repo}@{revision}" if revision else repo)


def git_hash(path: Path) -> str:
    """What git, and so the Hub, knows a small file by."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
