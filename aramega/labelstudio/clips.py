"""Clips: gives each clip the address at which an annotator's browser hears it, and sees to it that it is there.

Whatever the way, the address ends with the clip's file name, which is the passage's id: that is how push and pull
know that a task still plays the passage it speaks of. Ids and paths come from a database that others may have
written to; one that could leave the clips' folder is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient, Unreachable
from aramega.records import Passage
from aramega.workspace import WorkspaceFolder

_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,200}")


class ClipsNotServed(AramegaError):
    """No clip at all can be heard this way: the push ends."""


class ClipAccess(Protocol):
    """A way to make clips heard: from the server's own disk, from the web or a bucket, or uploaded."""

    def open_to(self, project: int) -> None:
        """Do what the project needs before its tasks can play."""

    def address(self, passage: Passage) -> str:
        """What the browser asks for; the clip is there to be heard."""

    def would_give(self, address: str, passage: Passage) -> bool:
        """Whether that is the address this way gives the clip, as far as can be seen without a server."""


def choose_clip_access(way: str, client: LabelStudioClient, workspace: WorkspaceFolder) -> ClipAccess:
    """Choose by `--audio`: `local`, `local:FOLDER` (the clips' folder as the server sees it), `upload`, or an address."""
    if way == "upload":
        return UploadedClips(client, workspace)
    if way == "local" or way.startswith("local:"):
        return ClipsOnServerDisk(client, workspace, way.partition(":")[2] or str(workspace.root / "clips"))
    if way.startswith(("https://", "http://", "s3://", "gs://", "azure-blob://")):
        return ClipsAtAddress(way.rstrip("/"))
    raise AramegaError(f"--audio {way}: give local, local:FOLDER, upload, or where the clips are: https://… or s3://….")


@dataclass
class ClipsOnServerDisk:
    """Has Label Studio read the clips from its own disk.

    Its addresses are relative to a document root that its API does not tell, so that the first clip is tried under
    each folder above the clips until one is served.
    """

    client: LabelStudioClient | None
    """None where tasks are only written to files: then the root is taken to be the workspace."""
    workspace: WorkspaceFolder
    folder: str
    _root: PurePosixPath | None = None

    def open_to(self, project: int) -> None:
        client = self.client
        if client is None:
            return
        try:
            client.retry(lambda: self._ensure_storage(client, project))
        except Unreachable:
            raise
        except AramegaError as error:
            raise self._not_served(f" ({error})") from None

    def _ensure_storage(self, client: LabelStudioClient, project: int) -> None:
        storages = client.get("api/storages/localfiles", project=project)
        if not any(storage.get("path") == self.folder for storage in storages):
            storage = {"project": project, "path": self.folder, "title": "aramega clips", "use_blob_urls": True}
            client.send("POST", "api/storages/localfiles", json=storage)

    def address(self, passage: Passage) -> str:
        clip_on_disk(self.workspace, passage)
        clip = PurePosixPath(self.folder) / PurePosixPath(passage.clip).relative_to("clips")
        if self._root is None:
            self._root = self._find_root(clip)
        return f"/data/local-files/?d={quote(str(clip.relative_to(self._root)))}"

    def would_give(self, address: str, passage: Passage) -> bool:
        clip = PurePosixPath(self.folder) / PurePosixPath(checked_clip(passage)).relative_to("clips")
        asked = parse_qs(urlsplit(address).query).get("d", [""])[0]
        return bool(asked) and str(clip).endswith(f"/{asked}")

    def _find_root(self, clip: PurePosixPath) -> PurePosixPath:
        above = PurePosixPath(self.folder).parents
        if self.client is None:
            return above[0]
        for root in above:
            if self.client.serves("data/local-files/", d=str(clip.relative_to(root))):
                return root
        raise ClipsNotServed(str(self._not_served("")))

    def _not_served(self, why: str) -> AramegaError:
        return AramegaError(
            f"Label Studio does not serve {self.folder}{why}. A server started by `aramega review start` for this "
            "workspace does; for another give --audio local:FOLDER, the folder as that server sees it, or --audio upload."
        )


@dataclass
class ClipsAtAddress:
    """Puts an address before each clip: a web server's or a bucket's, where the clips' folder was copied. It is not checked."""

    base: str

    def open_to(self, project: int) -> None:
        pass

    def address(self, passage: Passage) -> str:
        inside = PurePosixPath(checked_clip(passage)).relative_to("clips")
        return f"{self.base}/{quote(str(inside))}"

    def would_give(self, address: str, passage: Passage) -> bool:
        return address == self.address(passage)


@dataclass
class UploadedClips:
    """Uploads each clip to Label Studio once; one that is there already is used again.

    Label Studio takes a file only into a project whose tasks hold nothing else, so that the clips lie in a project
    of their own beside the one that is annotated.
    """

    client: LabelStudioClient
    workspace: WorkspaceFolder
    _project: int = 0
    """Where the clips are uploaded."""
    _addresses: dict[str, str] = field(default_factory=dict)
    """By passage, of those that the server has."""

    def open_to(self, project: int) -> None:
        title = f"aramega clips of {project}"
        projects = [
            p["id"]
            for p in self.client.get("api/projects", title=title, page_size=100)["results"]
            if p["title"] == title
        ]
        form = '<View><Audio name="audio" value="$audio"/></View>'
        projects = projects or [
            self.client.send("POST", "api/projects", json={"title": title, "label_config": form})["id"]
        ]
        self._project = min(projects)
        for upload in self.client.get(f"api/projects/{self._project}/file-uploads", all="true"):
            self._addresses[clip_name(upload["file"])] = f"/data/{upload['file']}"

    def address(self, passage: Passage) -> str:
        clip = clip_on_disk(self.workspace, passage)
        if passage.id not in self._addresses:
            path = f"api/projects/{self._project}/import"
            files = {clip.name: (clip.name, clip.read_bytes(), "audio/flac")}
            sent = self.client.send("POST", path, params={"commit_to_project": "false"}, files=files)
            upload = self.client.get(f"api/import/file-upload/{sent['file_upload_ids'][0]}")
            self._addresses[passage.id] = f"/data/{upload['file']}"
        return self._addresses[passage.id]

    def would_give(self, address: str, passage: Passage) -> bool:
        return address.startswith("/data/upload/") and clip_name(address) == checked_id(passage.id)


def checked_id(passage: str) -> str:
    """Return the id, or raise if it would mean something in a path or an address."""
    if not _PLAIN_ID.fullmatch(passage):
        raise AramegaError(f"{passage[:80]!r}: not a passage's id (letters, digits and hyphens); it was left out.")
    return passage


def checked_clip(passage: Passage) -> str:
    """Return the clip's path in the workspace, or raise if it is not among the clips or not named by its passage."""
    path = PurePosixPath(passage.clip)
    inside = path.parts[:1] == ("clips",) and ".." not in path.parts and "\\" not in passage.clip
    if not inside or path.stem != checked_id(passage.id):
        raise AramegaError(
            f"{passage.id}: its clip {passage.clip[:120]!r} is not in the workspace's clips; it was left out."
        )
    return passage.clip


def clip_on_disk(workspace: WorkspaceFolder, passage: Passage) -> Path:
    """Return the clip's file, or raise if it is missing or a link leads it elsewhere."""
    path = workspace.root / checked_clip(passage)
    if not path.is_file():
        raise AramegaError(f"{passage.id}: its clip is missing ({path}); `aramega build-ssum` makes it again.")
    if not path.resolve().is_relative_to((workspace.root / "clips").resolve()):
        raise AramegaError(f"{passage.id}: its clip is a link out of the workspace ({path}); it was left out.")
    return path


def clip_name(address: str) -> str:
    """Read from an address the id of the passage it plays; empty where it could be anything."""
    parts = urlsplit(address)
    asked = parse_qs(parts.query).get("d", [""])[0]
    path = PurePosixPath(unquote(asked or parts.path))
    if ".." in path.parts or path.suffix != ".flac":
        return ""
    return _without_random(path.stem) if "upload" in path.parts else path.stem


def _without_random(stem: str) -> str:
    """Label Studio puts eight random digits before an uploaded file's name."""
    return re.sub(r"^[0-9a-f]{8}-", "", stem)
