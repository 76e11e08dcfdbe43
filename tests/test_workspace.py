"""Where workers that do not see the workspace keep what they make, and what becomes of it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aramega.workspace import WorkspaceFolder


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceFolder:
    """Another build's workspace, which nobody here sees; its workers put what they make into `tmp_path`."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return WorkspaceFolder(Path("/not/here/theirs"), files="s3://bucket/theirs")


@pytest.fixture
def ours(theirs: WorkspaceFolder) -> WorkspaceFolder:
    return WorkspaceFolder(Path("/not/here/ours"), files="s3://bucket/ours")


@pytest.fixture
def worker(theirs: WorkspaceFolder) -> Iterator[subprocess.Popen[bytes]]:
    """A process that works for the other build."""
    with subprocess.Popen(["sleep", "infinity"]) as process:
        yield process
        process.kill()


def decoded_by(worker: subprocess.Popen[bytes], workspace: WorkspaceFolder) -> Path:
    """The samples of a recording, where this process keeps them."""
    name = workspace.home.name.replace(str(os.getpid()), str(worker.pid))
    audio = workspace.home.with_name(name) / "scratch" / "a-0.s16"
    audio.parent.mkdir(parents=True)
    audio.touch()
    return audio


def test_what_a_killed_worker_of_any_build_has_left_is_removed_by_the_next_that_comes(
    ours: WorkspaceFolder, theirs: WorkspaceFolder, worker: subprocess.Popen[bytes]
) -> None:
    audio = decoded_by(worker, theirs)
    ours.tidy_away()
    assert audio.exists(), "its worker is at work"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    ours.tidy_away()
    assert not audio.parent.parent.exists()


def test_what_lies_behind_a_link_is_left_alone(
    ours: WorkspaceFolder, theirs: WorkspaceFolder, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """The temporary folder is everybody's, and who makes a link in it may want another's files gone."""
    worker.kill()
    worker.wait()
    audio = decoded_by(worker, theirs)
    moved = tmp_path / "valuable"
    homes = audio.parents[2]
    homes.rename(moved)
    homes.symlink_to(moved)
    ours.tidy_away()
    assert audio.exists()


def test_a_worker_in_another_container_is_not_taken_for_a_dead_one(
    ours: WorkspaceFolder, theirs: WorkspaceFolder, worker: subprocess.Popen[bytes]
) -> None:
    """Its number means nothing here."""
    worker.kill()
    worker.wait()
    home = decoded_by(worker, theirs).parent.parent
    away = home.rename(home.with_name(f"{worker.pid}-1"))
    ours.tidy_away()
    assert away.exists()
