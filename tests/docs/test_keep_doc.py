"""docs/keep.md: its commands work in order, as written."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from tests.docs.test_docs import commands
from tests.support.cli import run_cli


def test_every_command_on_the_page_works(tmp_path: Path, short_broadcast: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "news.wav").write_bytes(short_broadcast.read_bytes())
    said = {line: run_line(line, tmp_path) for line in commands("docs/keep.md")}
    assert "1 recording," in said["aramega status whole"]


def run_line(line: str, folder: Path) -> str:
    """What a command said; one that watches is let go on until it has said something."""
    if "--watch" not in line:
        done = run_cli(*shlex.split(line)[1:], cwd=folder)
        assert done.code == 0, f"{line}\n{done.out}\n{done.err}"
        return done.out
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    options = {"cwd": folder, "env": environment, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(shlex.split(line), preexec_fn=_heed_interrupts, **options) as running:  # noqa: PLW1509  no threads here
        assert running.stdout
        said = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        said += running.stdout.read()
        assert running.wait() == 0, f"{line}\n{said}"
    return said


def _heed_interrupts() -> None:
    """A shell that runs the tests in the background has SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
