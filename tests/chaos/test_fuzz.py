"""Broken input by the hundred: each mutant is refused in one readable line or gives records that hold together.

`python -m tests.chaos.fuzz --audio 20000 --text 20000` does the same by the ten thousand.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from aramega.store import Store
from aramega.store.recordings import list_recordings
from aramega.workspace import WorkspaceFolder
from tests.chaos import fuzz
from tests.chaos.mutations import FORMATS, make_sound
from tests.chaos.originals import Originals, make_originals
from tests.chaos.writings import WRITINGS, make_writing
from tests.support.cli import Run
from tests.support.database import connection_of


def fuzzed(*asked: str) -> str:
    """What the fuzzer prints, in a process of its own so that what pytest holds counts for nobody's memory."""
    command = [sys.executable, "-m", "tests.chaos.fuzz", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    return make_originals(tmp_path_factory.mktemp("originals"))


def test_a_hundred_and_fifty_broken_sound_files() -> None:
    said = fuzzed("--audio", "150", "--workers", "2")
    assert "150 mutants" in said
    assert all(f"| {kind} | 30 |" in said for kind in FORMATS)


def test_hundreds_of_broken_manifests_configurations_and_exports() -> None:
    said = fuzzed("--text", "350", "--workers", "2")
    assert "350 mutants" in said
    assert all(f"| {kind} | 50 |" in said for kind in WRITINGS)


def test_a_build_of_a_folder_of_broken_files_makes_each_a_recording_or_a_failure(
    aramega: Run, originals: Originals, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for kind in FORMATS:
        for number in range(5000, 5004):
            (folder / f"{number}.{kind}").write_bytes(make_sound(kind, number, originals))
    said = aramega("build-ssum", folder, "-w", tmp_path / "ws", "--workers", "2")
    assert said.code == 3, said
    assert "Traceback" not in said.out + said.err
    failed = [line for line in said.out.splitlines() if line.startswith("failed:")]
    with Store.open(WorkspaceFolder(tmp_path / "ws")) as store:
        done = {recording.id for recording in list_recordings(store)}
        of_sources = dict(connection_of(store).execute("SELECT path, recording FROM sources").fetchall())
    assert len(of_sources) == 20
    for path, recording in of_sources.items():
        assert (recording in done) != any(Path(path).name in line for line in failed), path


def test_a_number_makes_the_same_mutant_again(originals: Originals, tmp_path: Path) -> None:
    again = make_originals(tmp_path, ("mp3", "ogg"))
    for kind in again:
        assert again[kind] == originals[kind]
    for kind in FORMATS:
        assert make_sound(kind, 7, originals) == make_sound(kind, 7, originals) != make_sound(kind, 8, originals)
    for kind in WRITINGS[:-1]:
        assert make_writing(kind, 7, []) == make_writing(kind, 7, [])


@pytest.mark.parametrize(
    ("does", "found"),
    [
        (lambda: os._exit(1), "its worker died (exit code 1)"),
        (lambda: time.sleep(60), "took too long, twice"),
        (lambda: bytearray(b"x") * 300_000_000 and "", "grew from"),
        (lambda: Path("..", "stray").write_text("") or "", "open "),
        (lambda: subprocess.run(["true"], check=True) and "", "ran "),
        (lambda: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_the_fuzzer_notices_what_must_not_happen_and_goes_on(  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does, found: str
) -> None:
    monkeypatch.setattr(fuzz, "make_judge", lambda *_: lambda number: does() if number == 1 else "")
    monkeypatch.setattr(fuzz, "LIMIT", 4.0)
    monkeypatch.setattr(fuzz, "LARGEST_WORKER", 100)
    said = list(fuzz.fuzz([fuzz.Chunk("wav", deque([0, 1, 2]))], 1, {}, tmp_path))
    verdicts = {one.mutant: one.violation for one in said if isinstance(one, fuzz.Verdict)}
    assert found in verdicts.pop("wav:1")
    assert verdicts == {"wav:0": "", "wav:2": ""}
