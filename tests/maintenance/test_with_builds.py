"""Housekeeping between and during real builds: what is split, built and merged, or backed up and restored half way,
ends as one calm build does."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.maintenance.looking import files, rows, timeless
from tests.support.cli import Run, command, run_cli
from tests.support.recordings import cut


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, broadcast: Path) -> Path:
    """Four different recordings cut from the sample broadcast."""
    folder = tmp_path_factory.mktemp("archive")
    for i in range(4):
        cut(broadcast, i * 40, 60, folder / f"{i}.mp3")
    return folder


@pytest.fixture(scope="module")
def calm(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("calm")
    assert run_cli("build-ssum", archive, "-w", workspace, "--quiet").code == 0
    return workspace


def test_backups_made_during_a_build_are_whole_and_can_be_built_on(
    aramega: Run, archive: Path, calm: Path, tmp_path: Path
) -> None:
    build = subprocess.Popen(
        command("build-ssum", archive, "-w", tmp_path / "news", "-n", "1"), stderr=subprocess.PIPE, text=True
    )
    assert build.stderr
    build.stderr.readline()  # the first recording is in
    build.send_signal(signal.SIGSTOP)  # on a fast machine a build is over before the first backup begins
    for number in range(100):
        made = aramega("backup", tmp_path / "news", tmp_path / "backups" / f"{number}", "--verify")
        build.send_signal(signal.SIGCONT)
        assert made.code == 0, made.err
        if build.poll() is not None:
            break
    for folder in (tmp_path / "backups").iterdir():
        assert {row[6] for row in rows(folder)["passages"]} == set(files(folder, ["clips"]))
    restored = tmp_path / "backups" / "0"
    assert len(rows(restored)["results"]) < len(rows(calm)["results"])
    assert aramega("build-ssum", "-w", restored, "--quiet").code == 0
    assert timeless(restored) == timeless(calm)


def test_shards_that_are_built_apart_and_merged_are_the_build_done_at_once(
    aramega: Run, archive: Path, calm: Path, tmp_path: Path
) -> None:
    aramega("build-ssum", archive, "-w", tmp_path / "news", "--quiet", "--until", "ingest")
    aramega("split", tmp_path / "news", "--parts", 2, "--into", tmp_path / "part")
    parts = [tmp_path / "part-1", tmp_path / "part-2"]
    for part in parts:
        assert aramega("build-ssum", "-w", part, "--quiet").code == 0
    assert aramega("merge", *parts, "--into", tmp_path / "all").code == 0
    assert timeless(tmp_path / "all") == timeless(calm)


def test_after_a_change_of_mind_gc_leaves_what_a_calm_build_has_and_nothing_to_do(
    aramega: Run, calm: Path, tmp_path: Path
) -> None:
    shutil.copytree(calm, tmp_path / "news")
    shorter = ["--set", "passages.max_seconds=40", "--set", "passages.target_seconds=20"]
    aramega("build-ssum", "-w", tmp_path / "news", "--quiet", *shorter)
    named = {str(row[6]) for row in rows(tmp_path / "news")["passages"]}
    assert set(files(tmp_path / "news", ["clips"])) > named
    aramega("gc", tmp_path / "news")
    assert set(files(tmp_path / "news", ["clips"])) == named
    done = rows(tmp_path / "news")["results"]
    assert aramega("build-ssum", "-w", tmp_path / "news", "--quiet").code == 0
    assert rows(tmp_path / "news")["results"] == done
    told = json.loads(aramega("status", tmp_path / "news", "--json").out)
    assert told["seconds_left"] == 0
