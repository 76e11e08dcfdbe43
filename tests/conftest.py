"""Fixtures every test may use: the sample broadcast, short cuts of it, and the command line run in-process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from aramega.sample import BROADCAST
from tests.support.cli import Run, run_cli
from tests.support.label_studio import start_server

# Each worker of pytest is one core's worth, and so is each process it starts: threads would wait for one another.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# This runs on shared machines, and a slow moment is no finding.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for servers, and for the browser."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session", autouse=True)
def _label_studio_starts_early(request: pytest.FixtureRequest, shared_folder: Path) -> None:
    """Where a test of this run asks for one: it takes half a minute, in which others can run."""
    if any("label_studio" in getattr(item, "fixturenames", ()) for item in request.session.items):
        start_server(shared_folder / "label-studio")


@pytest.fixture(scope="session")
def broadcast() -> Path:
    """Four minutes of made-up broadcast, as the package ships it."""
    return BROADCAST


@pytest.fixture(scope="session")
def short_broadcast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first minute, as 16 kHz mono wav: enough for a passage or two."""
    path = tmp_path_factory.mktemp("audio") / "short.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", BROADCAST, "-t", "60", "-ar", "16000", "-ac", "1", path], check=True)
    return path


@pytest.fixture
def aramega() -> Run:
    """Run a command line in this process: `aramega("status", folder)` gives its exit code, output and errors."""
    return run_cli
