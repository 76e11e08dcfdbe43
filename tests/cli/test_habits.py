"""The command line by habit: where it finds the workspace, what flags mean everywhere, and what exit codes say."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aramega.cli import exit_codes
from aramega.pipeline.build import building
from aramega.store.schema import STEPS, migrate, schema_version
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run, run_process
from tests.support.drafts import drafted_workspace


@pytest.fixture
def news(tmp_path: Path) -> WorkspaceFolder:
    return drafted_workspace(tmp_path / "news", recordings=1, passages=1, clips=False)


def test_a_command_works_on_the_workspace_that_the_current_folder_lies_in(aramega: Run, news: WorkspaceFolder) -> None:
    inside = news.root / "clips" / "deep"
    inside.mkdir(parents=True)
    shown = json.loads(aramega("status", "--json", cwd=inside).out)
    assert shown["workspace"] == str(news.root)


def test_a_workspace_is_named_by_its_folder_by_w_or_by_the_environment(
    aramega: Run, news: WorkspaceFolder, tmp_path: Path
) -> None:
    environment = {**os.environ, "ARAMEGA_WORKSPACE": str(news.root)}
    ways = (aramega("status", news.root), aramega("status", "-w", news.root), aramega("status", env=environment))
    assert len({way.out for way in ways}) == 1
    assert ways[0].code == 0
    two = aramega("status", news.root, "-w", tmp_path)
    assert two.code == exit_codes.WRONG_USAGE
    assert "are two workspaces: name one" in " ".join(two.err.split())


def test_two_workspaces_above_are_one_clear_line(aramega: Run, news: WorkspaceFolder) -> None:
    drafted_workspace(news.root / "inner", recordings=1, passages=1, clips=False)
    refused = aramega("gc", cwd=news.root / "inner")
    assert refused.code == exit_codes.WRONG_USAGE
    assert "lies in two workspaces" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_debug_shows_the_traceback_that_is_hidden_otherwise(aramega: Run, tmp_path: Path) -> None:
    assert "Traceback" not in aramega("status", tmp_path).err
    assert "Traceback" in run_process("status", tmp_path, "--debug").err


def test_the_version_has_a_short_form(aramega: Run) -> None:
    assert aramega("-V").out == aramega("--version").out


def test_build_is_short_for_build_ssum(aramega: Run, tmp_path: Path) -> None:
    refused = aramega("build", "-w", tmp_path / "ws")
    assert refused.code == exit_codes.WRONG_USAGE
    assert "is not a workspace yet" in refused.err


def test_what_another_build_stands_in_the_way_of_is_for_later(news: WorkspaceFolder) -> None:
    with building(news):
        refused = run_process("gc", news.root)
    assert refused.code == exit_codes.COME_BACK_LATER == 75
    assert "another build is at work here" in refused.err


def test_a_dry_run_of_resolve_keeps_nothing(aramega: Run, news: WorkspaceFolder) -> None:
    for _ in range(2):
        assert json.loads(aramega("review", "resolve", news.root, "--dry-run", "--json").out)["changed"] == 1
    assert json.loads(aramega("review", "resolve", news.root, "--json").out)["changed"] == 1
    assert json.loads(aramega("review", "resolve", news.root, "--json").out)["changed"] == 0


def test_a_dry_run_of_split_names_the_parts_and_makes_none(aramega: Run, news: WorkspaceFolder, tmp_path: Path) -> None:
    shown = aramega("split", news.root, "--parts", "2", "-o", tmp_path / "part", "--dry-run")
    assert shown.code == 0
    assert sorted(line.split(": ")[1] for line in shown.out.splitlines()) == [
        "0 recordings, 0 passages",
        "1 recordings, 1 passages",
    ]
    assert not (tmp_path / "part-1").exists()


def test_a_workspace_of_an_older_version_opens_and_one_of_a_newer_is_refused_in_one_line(
    aramega: Run, tmp_path: Path
) -> None:
    database = tmp_path / "aramega.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        migrate(connection, STEPS[:2])
    older = aramega("status", tmp_path)
    assert (older.code, older.err) == (0, "")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        assert schema_version(connection) == len(STEPS)
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    newer = aramega("status", tmp_path)
    assert newer.code == 2
    assert "this workspace was made by a newer aramega" in newer.err
    assert len(newer.err.splitlines()) == 1
