"""What the loopback Hub says over the wire: each request of the real clients, and the answer the Hub would give.

The state is in `hub_repositories` and `loopback_hub`; here are the routes, the LFS uploads and the troubles.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.support.hub_repositories import Blob, Fault, Repository, Tree, User

if TYPE_CHECKING:
    from tests.support.loopback_hub import Hub

BLOCK = 1 << 20


class HubProtocol(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    # Who asks what

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        where = urlsplit(self.path)
        self.path_only, self.query = unquote(where.path), parse_qs(where.query)
        self.server.requests.append((self.command, self.path))
        fault = self.server.next_trouble(f"{self.command} {self.path_only}")
        if fault and fault.kind not in ("half", "lost answer"):
            return self._be_in_trouble(fault)
        if self.command == "PUT" and self.path_only.startswith("/lfs/"):
            return self._take_object(fault)
        body = self._body()
        self.lost = fault is not None and fault.kind == "lost answer"
        for method, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, self.path_only)
            if method == ("GET" if self.command == "HEAD" else self.command) and found:
                return getattr(self, answer)(body, **found.groupdict())
        return self._send(404, {"error": f"the loopback Hub knows no {self.command} {self.path_only}"})

    @property
    def user(self) -> User | None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return self.server.users.get(token)

    def _may_write(self, name: str) -> bool:
        user = self.user
        if user is None:
            self._send(401, {"error": "Invalid username or password."})
        elif user.role != "write" or name.partition("/")[0] not in (user.name, *user.organizations):
            self._send(403, {"error": f"You don't have the rights to write to {name}."})
        else:
            return True
        return False

    def _repository(self, kind: str, name: str) -> Repository | None:
        found = self.server.repositories.get((kind, name))
        if found is None or (found.private and self.user is None):
            self._send(404 if self.user else 401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            return None
        return found

    def _tree(self, kind: str, name: str, revision: str) -> tuple[Repository, str, Tree] | None:
        found = self._repository(kind, name)
        if found is None:
            return None
        oid = found.find(revision)
        if oid is None:
            self._send(404, {"error": f"Invalid rev id: {revision}"}, {"X-Error-Code": "RevisionNotFound"})
            return None
        return found, oid, found.commits[oid]

    # Accounts and repositories

    def who(self, body: bytes) -> None:
        if self.user is None:
            return self._send(401, {"error": "Invalid username or password."})
        organizations = [{"name": o, "type": "org", "roleInOrg": self.user.role} for o in self.user.organizations]
        token = {"accessToken": {"displayName": "test", "role": self.user.role}}
        return self._send(200, {"type": "user", "name": self.user.name, "orgs": organizations, "auth": token})

    def create(self, body: bytes) -> None:
        told = json.loads(body)
        user = self.user
        name = f"{told.get('organization') or (user.name if user else '')}/{told['name']}"
        if not self._may_write(name):
            return None
        kind = f"{told.get('type', 'model')}s"
        if (kind, name) in self.server.repositories:
            return self._send(
                409, {"error": "You already created this dataset repo", "url": f"{self.server.url}/{name}"}
            )
        private = told.get("visibility") == "private" or bool(told.get("private"))
        self.server.repositories[kind, name] = Repository(kind, name, private)
        place = name if kind == "models" else f"{kind}/{name}"
        return self._send(200, {"url": f"{self.server.url}/{place}", "name": name, "id": name})

    def settings(self, body: bytes, kind: str, name: str) -> None:
        if self._may_write(name) and (found := self._repository(kind, name)):
            told = json.loads(body)
            found.gated = told.get("gated", found.gated)
            found.private = told.get("visibility", "private" if found.private else "public") == "private"
            self._send(200, {"gated": found.gated, "private": found.private})

    def may(self, body: bytes, kind: str, name: str, write: str | None) -> None:
        if self._repository(kind, name) is not None and (not write or self._may_write(name)):
            self._send(200, {})

    def about(self, body: bytes, kind: str, name: str, revision: str = "main") -> None:
        if found := self._tree(kind, name, revision or "main"):
            repository, oid, tree = found
            self._send(
                200,
                {
                    "_id": "0" * 24,
                    "id": name,
                    "sha": oid,
                    "private": repository.private,
                    "gated": repository.gated,
                    "disabled": False,
                    "downloads": 0,
                    "likes": 0,
                    "tags": [],
                    "lastModified": "2026-01-01T00:00:00.000Z",
                    "createdAt": "2026-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": path} for path in sorted(tree)],
                },
            )

    def refs(self, body: bytes, kind: str, name: str) -> None:
        if found := self._repository(kind, name):

            def listed(refs: dict[str, str], place: str) -> list[dict[str, str]]:
                return [{"name": n, "ref": f"refs/{place}/{n}", "targetCommit": oid} for n, oid in refs.items()]

            heads = {n: oid for n, oid in found.branches.items() if not n.startswith("refs/")}
            self._send(200, {"branches": listed(heads, "heads"), "tags": listed(found.tags, "tags"), "converts": []})

    # Reading

    def listing(self, body: bytes, kind: str, name: str, revision: str, folder: str | None) -> None:
        if not (found := self._tree(kind, name, revision)):
            return
        inside = f"{folder.strip('/')}/" if folder and folder.strip("/") else ""
        recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        entries, folders = [], set()
        for path, blob in sorted(found[2].items()):
            if not path.startswith(inside):
                continue
            rest = path.removeprefix(inside)
            parents = rest.split("/")[:-1]
            for depth in range(1, len(parents) + 1 if recursive else min(1, len(parents)) + 1):
                folders.add(inside + "/".join(parents[:depth]))
            if recursive or not parents:
                entries.append(blob.listed(path))
        if inside and not entries and not folders:
            return self._send(404, {"error": f"{folder} does not exist"}, {"X-Error-Code": "EntryNotFound"})
        entries += [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in sorted(folders)]
        return self._send(200, entries)

    def paths_info(self, body: bytes, kind: str, name: str, revision: str) -> None:
        if not (found := self._tree(kind, name, revision)):
            return
        if "json" in (self.headers.get("Content-Type") or ""):
            wanted = json.loads(body)["paths"]
        else:
            wanted = parse_qs(body.decode()).get("paths", [])
        entries = [found[2][path].listed(path) for path in wanted if path in found[2]]
        for path in wanted:
            if path not in found[2] and any(known.startswith(f"{path}/") for known in found[2]):
                entries.append({"type": "directory", "path": path, "oid": "0" * 40, "size": 0})
        self._send(200, entries)

    def resolve(self, body: bytes, name: str, revision: str, path: str, kind: str | None = None) -> None:
        if not (found := self._tree(kind or "models", name, revision)):
            return
        _, oid, tree = found
        if path not in tree:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": oid}
            return self._send(404, {"error": "Entry not found"}, headers)
        blob = tree[path]
        first, last = self._range(blob.size)
        self.send_response(206 if self.headers.get("Range") else 200)
        self.send_header("X-Repo-Commit", oid)
        self.send_header("ETag", f'"{blob.oid}"')
        self.send_header("X-Linked-Etag", f'"{blob.oid}"')
        self.send_header("X-Linked-Size", str(blob.size))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first))
        if self.headers.get("Range"):
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{blob.size}")
        self.end_headers()
        if self.command != "HEAD":
            self._send_stretch(self.server.objects[blob.oid], first, last)

    def _range(self, size: int) -> tuple[int, int]:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not found:
            return 0, size
        return int(found[1]), min(size, int(found[2]) + 1) if found[2] else size

    def _send_stretch(self, kept: bytes | Path, first: int, last: int) -> None:
        if isinstance(kept, bytes):
            self.wfile.write(kept[first:last])
            return
        with kept.open("rb") as file:
            file.seek(first)
            while first < last and (block := file.read(min(BLOCK, last - first))):
                self.wfile.write(block)
                first += len(block)

    # Writing

    def preupload(self, body: bytes, kind: str, name: str, revision: str) -> None:
        if not self._may_write(name) or not self._repository(kind, name):
            return
        files = [
            {
                "path": told["path"],
                "uploadMode": "lfs" if told["path"].endswith((".parquet", ".tar", ".safetensors")) else "regular",
                "shouldIgnore": False,
            }
            for told in json.loads(body)["files"]
        ]
        self._send(200, {"files": files})

    def lfs_batch(self, body: bytes, name: str, kind: str | None = None) -> None:
        if not self._may_write(name):
            return
        objects = []
        for told in json.loads(body)["objects"]:
            entry = {"oid": told["oid"], "size": told["size"]}
            if told["oid"] not in self.server.objects:
                entry["actions"] = {"upload": {"href": f"{self.server.url}/lfs/{told['oid']}", "header": {}}}
            objects.append(entry)
        self._send(200, {"transfer": "basic", "objects": objects})

    def _take_object(self, fault: Fault | None) -> None:
        """An upload appears when all of it has come and is what it said it would be."""
        oid = self.path_only.removeprefix("/lfs/")
        size = int(self.headers.get("Content-Length") or -1)
        half = size // 2 if fault and fault.kind == "half" else None
        digest, taken, parts = hashlib.sha256(), 0, []
        file = self._object_file(oid)
        with file.open("wb") if file else _Nowhere() as out:
            for block in self._blocks():
                taken += len(block)
                digest.update(block)
                parts.append(b"" if out.write(block) else block)
                if half is not None and taken >= half:
                    return self._hang_up()
        if digest.hexdigest() != oid:
            return self._send(400, {"error": "not what was announced"})
        if file:
            whole = file.with_suffix("")
            file.replace(whole)
            self.server.objects[oid] = whole
        else:
            self.server.objects[oid] = b"".join(parts)
        return self._send(200, {})

    def _object_file(self, oid: str) -> Path | None:
        if self.server.folder is None:
            return None
        self.server.folder.mkdir(parents=True, exist_ok=True)
        return self.server.folder / f"{oid}.{threading.get_ident()}"

    def commit(self, body: bytes, kind: str, name: str, revision: str) -> None:
        if not self._may_write(name) or not (found := self._tree(kind, name, revision)):
            return None
        repository, _, tree = found
        tree, message, parent = dict(tree), "", None
        for line in body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "header":
                message, parent = value["summary"], value.get("parentCommit")
            elif entry["key"] == "file":
                content = base64.b64decode(value["content"])
                git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                tree[value["path"]] = Blob(self.server.keep(content), len(content), lfs=False, git=git)
            elif entry["key"] == "lfsFile":
                if value["oid"] not in self.server.objects:
                    return self._send(400, {"error": f"{value['path']}: its LFS object was never uploaded"})
                tree[value["path"]] = Blob(value["oid"], value["size"], lfs=True)
            elif entry["key"] == "deletedFile":
                tree.pop(value["path"], None)
            elif entry["key"] == "deletedFolder":
                tree = {p: b for p, b in tree.items() if not p.startswith(f"{value['path'].rstrip('/')}/")}
        with self.server.lock:
            if parent is not None and parent != repository.find(revision):
                return self._send(412, {"error": "A commit has happened since. Please refresh and try again."})
            told: dict[str, Any] = {"success": True, "hookOutput": ""}
            branch = revision
            if self.query.get("create_pr") == ["1"]:
                repository.pulls += 1
                branch = f"refs/pr/{repository.pulls}"
                told["pullRequestUrl"] = f"{self.server.url}/{kind}/{name}/discussions/{repository.pulls}"
            oid = repository.commit(branch, tree, message)
        told |= {"commitOid": oid, "commitUrl": f"{self.server.url}/{kind}/{name}/commit/{oid}"}
        return self._send(200, told)

    def tag(self, body: bytes, kind: str, name: str, revision: str) -> None:
        if not self._may_write(name) or not (found := self._tree(kind, name, revision)):
            return None
        repository, oid, _ = found
        wanted = json.loads(body)["tag"]
        if wanted in repository.tags:
            return self._send(409, {"error": "Reference already exists"})
        repository.tags[wanted] = oid
        return self._send(200, {})

    def validate_yaml(self, body: bytes) -> None:
        self._send(200, {"errors": [], "warnings": []})

    # The wire

    def _be_in_trouble(self, fault: Fault) -> None:
        if fault.kind == "reset":
            return self._hang_up()
        if fault.kind == "hang":
            time.sleep(self.server.hanging)
            return self._hang_up()
        self._body()
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        said = {"500": "Internal Error", "429": "Too Many Requests"}[fault.kind]
        return self._send(int(fault.kind), {"error": said}, headers)

    def _hang_up(self) -> None:
        """Close the connection as a machine does that went down: with a reset, not a goodbye."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _blocks(self) -> Iterator[bytes]:
        """The request's body, as it comes."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline() or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left and (block := self.rfile.read(min(BLOCK, left))):
            left -= len(block)
            yield block

    def _body(self) -> bytes:
        return b"".join(self._blocks())

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        if getattr(self, "lost", False):
            return self._hang_up()
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status >= 400 and isinstance(body, dict):
            self.send_header("X-Error-Message", quote(str(body.get("error", "")), safe=" .,:'"))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return None

    def log_message(self, *args: Any) -> None:
        """Quiet."""


class _Nowhere:
    """A file that keeps nothing, for objects that stay in memory."""

    def __enter__(self) -> _Nowhere:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, block: bytes) -> int:
        return 0


_REPO = r"/api/(?P<kind>datasets|models)/(?P<name>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>refs/pr/\d+|[^/]+)"
ROUTES = (
    ("GET", r"/api/whoami-v2", "who"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("PUT", rf"{_REPO}/settings", "settings"),
    ("GET", rf"{_REPO}/auth-check(?P<write>/write)?", "may"),
    ("GET", rf"{_REPO}/refs", "refs"),
    ("GET", rf"{_REPO}/tree/{_REVISION}(?P<folder>/.*)?", "listing"),
    ("POST", rf"{_REPO}/paths-info/{_REVISION}", "paths_info"),
    ("GET", rf"{_REPO}/revision/{_REVISION}", "about"),
    ("POST", rf"{_REPO}/preupload/{_REVISION}", "preupload"),
    ("POST", rf"{_REPO}/commit/{_REVISION}", "commit"),
    ("POST", rf"{_REPO}/tag/{_REVISION}", "tag"),
    ("GET", _REPO, "about"),
    ("POST", r"/(?:(?P<kind>datasets)/)?(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "lfs_batch"),
    ("GET", rf"/(?P<kind>datasets)/(?P<name>[^/]+/[^/]+)/resolve/{_REVISION}/(?P<path>.+)", "resolve"),
    ("GET", rf"/(?P<name>[^/]+/[^/]+)/resolve/{_REVISION}/(?P<path>.+)", "resolve"),
)
