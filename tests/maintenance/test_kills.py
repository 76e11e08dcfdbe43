"""Killed with SIGKILL at any call, and run again, each command ends as if it had never been killed."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from aramega.workspace import WorkspaceFolder
from tests.maintenance.looking import (
    a_workspace,
    contents,
    copy_of,
    cut_otherwise,
    fall_at,
    files,
    passages_of,
    review,
    rows,
)

KILLS = 3

Arguments = Callable[[Path], list[str | Path]]


def kill_often(folder: Path, arguments: Arguments, check: Callable[[Path], None]) -> Path:
    """Run the command in `folder` again and again, each time killed at a later call; `check` looks at what is left
    each time. Gives the folder after a last run that is let live."""
    calls = _count_calls(folder, arguments)
    for kill in range(KILLS):
        done = fall_at(1 + calls * (2 * kill + 1) // (2 * KILLS), *arguments(folder))
        if done.code == 0:
            break  # what the runs before it had done was enough
        assert done.code == -signal.SIGKILL, done.err
        check(folder)
    last = fall_at(0, *arguments(folder))
    assert last.code == 0, last.err
    assert not list(folder.rglob("*.part"))
    return folder


def _count_calls(folder: Path, arguments: Arguments) -> int:
    calm = folder.with_name("calm")
    shutil.rmtree(calm, ignore_errors=True)
    copy_of(WorkspaceFolder(folder), calm)
    for note in calm.glob("copy/backup.json"):  # says which workspace it is of
        note.write_text(note.read_text().replace(str(folder), str(calm)))
    done = fall_at(0, *arguments(calm))
    assert done.code == 0, done.err
    return done.calls


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder of two workspaces: one with garbage and people's work in it, and another."""
    a_workspace(tmp_path / "desk" / "news", range(4))
    a_workspace(tmp_path / "desk" / "more", [3, 4, 5])
    for number in range(2):
        [gone] = cut_otherwise(WorkspaceFolder(tmp_path / "desk" / "news"), number)
    review(WorkspaceFolder(tmp_path / "desk" / "news"), gone)
    return tmp_path / "desk"


def test_gc(desk: Path) -> None:
    known = [p for number in range(4) for p in passages_of(WorkspaceFolder(desk / "news"), number)]
    reviews = rows(desk / "news")["reviews"]

    def check(folder: Path) -> None:
        held = {path.stem for path in (folder / "news" / "clips").rglob("*.flac")}
        assert held >= {*known, *(str(row[1]) for row in reviews)}

    kill_often(desk, lambda folder: ["gc", folder / "news"], check)
    assert contents(desk / "news") == contents(desk.with_name("calm") / "news")


def test_backup(desk: Path) -> None:
    def arguments(folder: Path) -> list[str | Path]:
        return ["backup", folder / "news", folder / "copy"]

    def check(folder: Path) -> None:
        kept = [folder / name for name in ("copy", ".copy.old") if (folder / name).exists()]
        for copy in kept:
            assert (copy / "backup.json").exists()
            assert set(rows(copy)) == set(rows(folder / "news")), "whatever has the name is whole"

    for number in (2, 3):
        cut_otherwise(WorkspaceFolder(desk / "news"), number)  # the second backup is over the first
        kill_often(desk, arguments, check)
        assert rows(desk / "copy") == rows(desk / "news")
        assert files(desk / "copy") == files(desk.with_name("calm") / "copy")


def test_merge(desk: Path) -> None:
    def arguments(folder: Path) -> list[str | Path]:
        return ["merge", folder / "news", folder / "more", "--into", folder / "all"]

    def check(folder: Path) -> None:
        """A recording is there with its passages and their clips, or not at all."""
        if not (folder / "all" / "aramega.db").exists():
            return
        held = rows(folder / "all")
        named = {str(row[1]) for row in held.get("passages", [])}
        assert named == {str(row[0]) for row in held.get("recordings", [])}
        assert all((folder / "all" / str(row[6])).exists() for row in held.get("passages", []))

    kill_often(desk, arguments, check)
    assert contents(desk / "all") == contents(desk.with_name("calm") / "all")


def test_split(desk: Path) -> None:
    def arguments(folder: Path) -> list[str | Path]:
        return ["split", folder / "news", "--parts", "2", "--into", folder / "part"]

    kill_often(desk, arguments, lambda _: None)
    for part in ("part-1", "part-2"):
        assert contents(desk / part) == contents(desk.with_name("calm") / part)
