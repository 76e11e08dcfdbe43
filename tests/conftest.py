"""Fixtures every test may use: the sample broadcast, short cuts of it, and the command line run in-process."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.cli import Run, run_cli

SAMPLE = Path(str(files("aramega.cli") / "sample" / "broadcast.mp3"))


@pytest.fixture(scope="session")
def broadcast() -> Path:
    """Four minutes of made-up broadcast, as the package ships it."""
    return SAMPLE


@pytest.fixture(scope="session")
def short_broadcast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first minute, as 16 kHz mono wav: enough for a passage or two."""
    path = tmp_path_factory.mktemp("audio") / "short.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", SAMPLE, "-t", "60", "-ar", "16000", "-ac", "1", path], check=True)
    return path


@pytest.fixture
def aramega() -> Run:
    """Run a command line: `aramega("status", folder)` gives its exit code, output and errors."""
    return run_cli
