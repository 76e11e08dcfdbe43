"""A loopback Hub: a real HTTP server that speaks as much of the Hub's protocol as the real clients need.

It keeps repositories of datasets and models with their history: commits, branches, tags, pull requests and
LFS objects, all in memory or, for big ones, in a folder. `huggingface_hub` pushes to it and `datasets` loads
from it, streaming included (range requests). Users have tokens with a role. It can be told to be in
trouble: to answer 500 or 429, to break a connection, to take half an upload and then hang up, to answer
only after the client has given up; and it notes every request, so that a test can ask what was sent twice.

    with loopback_hub() as hub:
        subprocess.run(command, env={**os.environ, **hub.environment()})

What it leaves out: Xet (set HF_HUB_DISABLE_XET=1), multipart uploads, spaces, and the dataset viewer.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.hub_protocol import HubProtocol
from tests.support.hub_repositories import Blob, Fault, Repository, Trouble, User

__all__ = ["OWNER", "READER", "Hub", "User", "loopback_hub"]

OWNER = "hf_owner"
"""The token of the user `org` belongs to, who may write."""
READER = "hf_reader"
"""The token of a user who may only read."""


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), HubProtocol)
        self.folder = folder
        self.users = {OWNER: User("owner", ("org",)), READER: User("reader", ("org",), role="read")}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.objects: dict[str, bytes | Path] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.RLock()
        self.hanging = 20.0
        """How long a request hangs that is told to, at most."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def environment(self, token: str = OWNER, home: Path | None = None) -> dict[str, str]:
        """What a process must be told to take this for the Hub."""
        told = {"HF_ENDPOINT": self.url, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return told | ({"HF_HOME": str(home)} if home else {})

    def dataset(self, name: str) -> Repository:
        return self.repositories["datasets", name]

    def model(self, name: str) -> Repository:
        return self.repositories["models", name]

    def content(self, blob: Blob) -> bytes:
        kept = self.objects[blob.oid]
        return kept if isinstance(kept, bytes) else kept.read_bytes()

    def trouble(
        self, pattern: str, kind: Trouble, *, times: int = 1, after: int = 0, retry_after: float | None = None
    ) -> None:
        """Be in trouble for requests such as `PUT /lfs/`."""
        with self.lock:
            self.faults.append(Fault(re.compile(pattern), kind, times, after, retry_after))

    def next_trouble(self, request: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if not fault.pattern.search(request) or not fault.times:
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def counted(self) -> Counter[str]:
        """How often each kind of request was made."""
        return Counter(f"{method} {path.split('?')[0]}" for method, path in self.requests)

    def keep(self, content: bytes) -> str:
        oid = hashlib.sha256(content).hexdigest()
        self.objects[oid] = content
        return oid

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed in the middle is nothing to report."""


@contextmanager
def loopback_hub(folder: Path | None = None) -> Iterator[Hub]:
    """A Hub on a free port; `folder` is where it keeps big files."""
    server = Hub(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
