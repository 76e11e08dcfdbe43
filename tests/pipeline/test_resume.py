"""Resume: a build killed anywhere and run again ends as if it had never been killed."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from aramega.cli.exit_codes import COME_BACK_LATER
from tests.support.cli import Run, command, run_cli
from tests.support.kills import killed_at_result
from tests.support.recordings import cut

KILLS = 6  # benchmarks/resume.py does thirty


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, broadcast: Path) -> Path:
    """Four different recordings cut from the sample broadcast."""
    folder = tmp_path_factory.mktemp("archive")
    for i in range(4):
        cut(broadcast, i * 40, 90, folder / f"{i}.mp3")
    return folder


def contents(workspace: Path) -> dict[str, str]:
    """All that a build promises to be the same: every row, and every file byte for byte."""
    found = {}
    connection = sqlite3.connect(workspace / "aramega.db")
    for table in ("sources", "recordings", "timelines", "segments", "passages"):
        found[table] = str(sorted(connection.execute(f"SELECT * FROM {table}")))
    found["results"] = str(sorted(connection.execute("SELECT stage, item, fingerprint, made, seconds FROM results")))
    for path in sorted(p for folder in ("clips", "frames") for p in (workspace / folder).rglob("*") if p.is_file()):
        found[str(path.relative_to(workspace))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def results(workspace: Path) -> int:
    return int(sqlite3.connect(workspace / "aramega.db").execute("SELECT count(*) FROM results").fetchone()[0])


@pytest.fixture(scope="module")
def calm(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    workspace = tmp_path_factory.mktemp("calm")
    assert run_cli("build-ssum", archive, "-w", workspace, "--quiet").code == 0
    return contents(workspace)


def test_a_build_killed_at_random_moments_ends_like_a_calm_one(
    archive: Path, tmp_path: Path, calm: dict[str, str]
) -> None:
    build = ("build-ssum", archive, "-w", tmp_path, "--quiet", "--workers", "2")
    rng, done = random.Random(5), []
    for _ in range(KILLS):
        assert killed_at_result(rng.randint(1, 2), rng.choice(["before", "after"]), *build)
        done.append(results(tmp_path))
    assert run_cli(*build).code == 0
    assert 0 < done[KILLS // 2] < done[-1] < results(tmp_path), "kills fell in the middle"
    assert contents(tmp_path) == calm
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_number_of_workers_changes_nothing(
    archive: Path, tmp_path: Path, calm: dict[str, str], workers: str
) -> None:
    assert run_cli("build-ssum", archive, "-w", tmp_path, "--quiet", "--workers", workers).code == 0
    assert contents(tmp_path) == calm


def test_a_build_done_in_steps_is_the_build_done_at_once(archive: Path, tmp_path: Path, calm: dict[str, str]) -> None:
    for more in (["--limit", "1"], ["--until", "ingest"], ["--until", "segment"], []):
        assert run_cli("build-ssum", archive, "-w", tmp_path, "--quiet", *more).code == 0
    assert contents(tmp_path) == calm


def test_which_of_two_copies_is_read_first_changes_nothing(archive: Path, tmp_path: Path) -> None:
    """A decoder that dies over the first copy leaves it to the second."""
    copies = [tmp_path / "a.mp3", tmp_path / "b.mp3"]
    for copy in copies:
        shutil.copy2(archive / "0.mp3", copy)
    for workspace, order in (("one", copies), ("other", reversed(copies))):
        for copy in order:
            assert run_cli("build-ssum", copy, "-w", tmp_path / workspace, "--quiet").code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_running_again_does_nothing_and_says_so(aramega: Run, archive: Path, tmp_path: Path) -> None:
    aramega("build-ssum", archive, "-w", tmp_path)
    before = sqlite3.connect(tmp_path / "aramega.db").execute("SELECT * FROM results").fetchall()
    again = aramega("build-ssum", archive, "-w", tmp_path)
    assert again.code == 0
    assert "× real time" not in again.err, "nothing was opened"
    assert sqlite3.connect(tmp_path / "aramega.db").execute("SELECT * FROM results").fetchall() == before


def test_a_changed_option_redoes_only_what_depends_on_it(archive: Path, tmp_path: Path) -> None:
    assert run_cli("build-ssum", archive, "-w", tmp_path, "--quiet").code == 0
    query = "SELECT stage, item, fingerprint FROM results"
    before = set(sqlite3.connect(tmp_path / "aramega.db").execute(query))
    shorter = ("--set", "passages.max_seconds=60", "--set", "passages.target_seconds=40")
    assert run_cli("build-ssum", "-w", tmp_path, "--quiet", *shorter).code == 0
    after = set(sqlite3.connect(tmp_path / "aramega.db").execute(query))
    assert {stage for stage, _, _ in after - before} == {"passages"}


def test_ctrl_c_stops_politely_and_leaves_nothing_half_done(archive: Path, tmp_path: Path, broadcast: Path) -> None:
    """With half an hour still to do when the signal comes."""
    recordings, stopped, calm = tmp_path / "in", tmp_path / "stopped", tmp_path / "calm"
    recordings.mkdir()
    (recordings / "a.mp3").symlink_to(archive / "0.mp3")
    loop = [
        "ffmpeg",
        "-v",
        "error",
        "-stream_loop",
        "8",
        "-i",
        str(broadcast),
        "-c",
        "copy",
        str(recordings / "b.mp3"),
    ]
    subprocess.run(loop, check=True)
    line = command("build-ssum", recordings, "--workers", "1", "-w", stopped)
    # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
    build = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)  # noqa: PLW1509  no threads here
    assert build.stderr
    build.stderr.readline()  # the first recording is in
    build.send_signal(signal.SIGINT)
    said = build.stderr.read()
    assert build.wait() == 130
    assert "the same command goes on from here" in said
    assert not list(stopped.rglob("*.part"))
    for workspace in (stopped, calm):
        assert run_cli("build-ssum", recordings, "-w", workspace, "--quiet").code == 0
    assert contents(stopped) == contents(calm)


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_second_build_on_the_same_workspace_is_refused(aramega: Run, archive: Path, tmp_path: Path) -> None:
    build = subprocess.Popen(
        command("build-ssum", archive, "-w", tmp_path, "--workers", "1"), stderr=subprocess.PIPE, text=True
    )
    assert build.stderr
    build.stderr.readline()
    build.send_signal(signal.SIGSTOP)  # held still, and with it the lock
    second = aramega("build-ssum", archive, "-w", tmp_path)
    assert second.code == COME_BACK_LATER
    assert f"another build is at work here (process {build.pid})" in second.err
    build.kill()
    build.wait()
