"""Local server: installs Label Studio into an environment of its own and starts it on the loopback, for one workspace.

Label Studio pins hundreds of packages that would fight ours, so that it lives apart, once for the machine. Its data,
which are people's work, lie under the user's data folder and outlive the workspace. Only the workspace's clips are
served: the document root is the workspace, and Label Studio serves of it only the folder a project has storage for.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aramega.errors import AramegaError
from aramega.labelstudio.credentials import Credentials
from aramega.locks import wait_and_hold
from aramega.workspace import WorkspaceFolder

VERSION = "1.23.2"
"""The Label Studio our tests run against."""

_NEVER_CALLED = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 "
    "224.0.0.0/4 240.0.0.0/4 ::/128 64:ff9b::/96 64:ff9b:1::/48 2002::/16 fc00::/7 fe80::/10 ff00::/8"
).split()
"""Networks a server started by us must not be made to call: private ones, and those of cloud machines' secrets."""


def server_environment(version: str = VERSION) -> Path:
    """Where Label Studio of this version is installed, once for the machine."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "aramega" / f"label-studio-{version}"


def data_folder(workspace: WorkspaceFolder) -> Path:
    """Where the server of this workspace keeps its database."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    number = hashlib.sha256(str(workspace.root.absolute()).encode()).hexdigest()[:12]
    return data / "aramega" / f"label-studio-{number}"


def install_server(version: str = VERSION) -> Path:
    """The `label-studio` program, installed first where it is not; whoever else installs it meanwhile is waited for."""
    environment = server_environment(version)
    program = environment / "bin" / "label-studio"
    done = environment / "installed"
    environment.parent.mkdir(parents=True, exist_ok=True)
    with wait_and_hold(environment.parent / f"{environment.name}.lock"):
        if done.exists() and program.exists():
            return program
        shutil.rmtree(environment, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(environment)])
        _run([str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", f"label-studio=={version}"])
        done.touch()
    return program


def server_variables(
    credentials: Credentials, data: Path, document_root: Path, base: Mapping[str, str]
) -> dict[str, str]:
    """The environment Label Studio runs in. Secrets go in here and not among its arguments, which anyone can list."""
    inherited = {k: v for k, v in base.items() if not k.startswith(("LABEL_STUDIO_", "DJANGO_"))}
    return {
        **inherited,
        "LABEL_STUDIO_USERNAME": credentials.email,
        "LABEL_STUDIO_PASSWORD": credentials.password,
        "LABEL_STUDIO_USER_TOKEN": credentials.token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(document_root),
        # Telemetry, error reports and the question for newer versions: all off.
        "COLLECT_ANALYTICS": "False",
        "collect_analytics": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "False",
    }


def let_it_call_us(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables, and those by which Label Studio may call `review serve` on this machine. By itself it refuses every
    private address; with these all but the loopback stay refused."""
    return {
        **variables,
        "LABEL_STUDIO_ML_BLOCK_LOCAL_IP": "true",
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
        "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS": ",".join(_NEVER_CALLED),
    }


def server_command(program: Path, port: int) -> list[str]:
    return [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]


@contextmanager
def running_server(
    program: Path, port: int, variables: Mapping[str, str], log: Path, patience: float = 1800.0
) -> Iterator[subprocess.Popen[bytes]]:
    """The server, up and answering; it ends with the block. Its first start makes its tables and takes a minute, on a
    busy machine many: it is waited for as long as it lives, up to `patience` seconds."""
    if not _is_free(port):
        raise AramegaError(f"port {port} is taken. Is a server running already? Else: aramega review start --port N.")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(server_command(program, port), env=dict(variables), stdout=out, stderr=out)
    try:
        await_server(f"http://127.0.0.1:{port}", process, log, patience)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_server(url: str, process: subprocess.Popen[bytes], log: Path, patience: float) -> None:
    """Wait until the server says that it is up; raise with the end of its log if it never does."""
    until = time.monotonic() + patience
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310  our own loopback address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    lines = log.read_text(errors="replace").splitlines()[-5:]
    raise AramegaError(f"Label Studio did not come up; its log ({log}) ends: {' / '.join(lines)}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise AramegaError(f"installing Label Studio failed: {last[0]}")
