"""A real Label Studio for tests: installed once for the machine, started once for a whole run of pytest.

The first worker of a run in which a test will ask for it starts it, on a free port of the loopback with SQLite; the
others find it by a file. It runs under a small watcher (this module as a program) that installs it where it is not,
and ends it when pytest is gone, however pytest went; whoever needs the server waits as long as the watcher lives. The
tables of an empty Label Studio are made once and copied, which turns a minute into seconds. Each test works in a
project of its own and may not delete what others made.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.credentials import Credentials
from aramega.labelstudio.local_server import (
    free_port,
    install_server,
    let_it_call_us,
    running_server,
    server_environment,
    server_variables,
)
from aramega.locks import is_running, wait_and_hold
from aramega.workspace import whole_file

ROOT = Path(__file__).parent.parent.parent
EMAIL, PASSWORD, TOKEN = "curator@example.org", "only-on-this-loopback", "0123456789abcdef" * 2 + "01234567"


@dataclass
class Server:
    """A running Label Studio."""

    url: str
    files: Path
    """Its document root: workspaces made inside can be heard."""
    token: str = TOKEN
    email: str = EMAIL
    password: str = PASSWORD
    made: list[int] = field(default_factory=list)

    def client(self, patience: float = 20.0) -> LabelStudioClient:
        return LabelStudioClient(self.url, self.token, patience=patience)

    def title(self) -> str:
        """A project's name that nobody has."""
        return f"test {uuid4().hex[:12]}"


def start_server(folder: Path) -> None:
    """Have the server of this run of pytest, whose workers share `folder`, started by whoever comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    with wait_and_hold(folder / "server.lock"):
        if not (folder / "files").exists():
            _start_watcher(folder)
            (folder / "files").mkdir()


def shared_server(folder: Path) -> Server:
    """The server of this run, up and answering."""
    start_server(folder)
    ready, ended = folder / "ready", folder / "ended"
    while not ready.exists():
        if ended.exists():
            raise RuntimeError(f"Label Studio did not start: {(folder / 'watcher.log').read_text()}")
        time.sleep(0.1)
    return Server(f"http://127.0.0.1:{ready.read_text()}", folder / "files")


@contextmanager
def own_server(folder: Path, port: int | None = None) -> Iterator[tuple[Server, subprocess.Popen[bytes]]]:
    """A server that a test or benchmark may kill; its data stay in `folder` for starting it again."""
    program = install_server()
    data, files = folder / "data", folder / "files"
    if not data.exists():
        shutil.copytree(empty_tables(), data)
    files.mkdir(exist_ok=True)
    port = port or free_port()
    credentials = Credentials(f"http://127.0.0.1:{port}", EMAIL, PASSWORD, TOKEN)
    variables = server_variables(credentials, data, files, os.environ)
    with running_server(program, port, variables, folder / "log") as process:
        yield Server(credentials.url, files), process


def empty_tables() -> Path:
    """The data folder of a Label Studio that has been started once and has nobody's work in it."""
    program = install_server()
    made = server_environment() / "empty-data"
    if made.exists():
        return made
    part = made.with_name("empty-data.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    port = free_port()
    credentials = Credentials(f"http://127.0.0.1:{port}", EMAIL, PASSWORD, TOKEN)
    with running_server(program, port, server_variables(credentials, part, part, os.environ), part / "log"):
        pass
    part.replace(made)
    return made


def _controller() -> int:
    """The process whose end is the end of the run: xdist's workers are its children."""
    return os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()


def _start_watcher(folder: Path) -> None:
    """Start this module as a program. When it ends, a file says so: who waits need not be its parent."""
    watcher = [sys.executable, "-m", "tests.support.label_studio", str(folder), str(_controller())]
    line = ["sh", "-c", '"$@"; touch "$0"', str(folder / "ended"), *watcher]
    with (folder / "watcher.log").open("wb") as log:
        subprocess.Popen(line, stdout=log, stderr=log, start_new_session=True, cwd=ROOT)


def _watch(folder: Path, controller: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    program, port = install_server(), free_port()
    shutil.copytree(empty_tables(), folder / "data")
    credentials = Credentials(f"http://127.0.0.1:{port}", EMAIL, PASSWORD, TOKEN)
    variables = let_it_call_us(server_variables(credentials, folder / "data", folder / "files", os.environ))
    with running_server(program, port, variables, folder / "log") as process:
        with whole_file(folder / "ready") as ready:
            ready.write_text(str(port))
        while is_running(controller) and process.poll() is None:
            time.sleep(0.5)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]), int(sys.argv[2]))
