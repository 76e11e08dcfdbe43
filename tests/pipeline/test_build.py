"""The build's own promises: options that change and change back, files that move, and what is done again."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from aramega.config import Config, choose_config
from aramega.engine.local import LocalEngine
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.records import Passage
from aramega.sources import find_sources
from aramega.store import Broken, Finished, Store
from aramega.store.recordings import list_passages, list_recordings
from aramega.store.results import write_outcomes
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run


class Killed(BaseException):
    """Stands for a SIGKILL at an exact place."""


def build(folder: Path, source: Path, *changes: str, die_at: str = "") -> None:
    """A build with single options changed; with `die_at`, gone just before that stage's first result is committed."""
    place = WorkspaceFolder(folder)
    config = choose_config(None, folder / "none.toml", changes)
    pipeline = Pipeline.from_config(config, place)
    with building(place), Store.create_or_open(place) as store, pytest.MonkeyPatch.context() as patch:
        add_sources(store, pipeline, [str(source)], find_sources([str(source)], config.ingest.extensions))

        def write_or_die(store: Store, outcomes: list[Finished | Broken]) -> None:
            if any(outcome.mark.stage == die_at for outcome in outcomes):
                raise Killed
            write_outcomes(store, outcomes)

        patch.setattr("aramega.pipeline.plan.write_outcomes", write_or_die)
        for _ in run_build(store, pipeline, LocalEngine(1)):
            pass


def passages(folder: Path) -> list[Passage]:
    with Store.open(WorkspaceFolder(folder)) as store:
        return [p for r in list_recordings(store) for p in list_passages(store, r.id)]


def assert_clips_are_what_the_rows_say(folder: Path) -> None:
    for passage in passages(folder):
        assert hashlib.sha256((folder / passage.clip).read_bytes()).hexdigest() == passage.clip_sha256


def test_a_change_killed_before_its_commit_and_taken_back_leaves_rows_and_clips_agreeing(
    tmp_path: Path, short_broadcast: Path
) -> None:
    build(tmp_path, short_broadcast, "passages.flac_level=3")
    before = passages(tmp_path)
    with pytest.raises(Killed):
        build(tmp_path, short_broadcast, "passages.flac_level=8", die_at="passages")
    build(tmp_path, short_broadcast, "passages.flac_level=3")
    assert passages(tmp_path) == before
    assert_clips_are_what_the_rows_say(tmp_path)


def test_options_that_only_decide_what_is_refused_redo_nothing(tmp_path: Path, short_broadcast: Path) -> None:
    build(tmp_path, short_broadcast)
    query = "SELECT stage, item, finished_at, took FROM results ORDER BY 1, 2"
    before = sqlite3.connect(tmp_path / "aramega.db").execute(query).fetchall()
    build(tmp_path, short_broadcast, "ingest.max_hours=30", "ingest.stall_seconds=5")
    assert sqlite3.connect(tmp_path / "aramega.db").execute(query).fetchall() == before


def test_clips_are_never_cut_from_another_file_under_the_old_name(
    aramega: Run, tmp_path: Path, short_broadcast: Path
) -> None:
    """The first of two copies was changed in place, to the same length: the intact second serves."""
    for name in ("a.wav", "b.wav"):
        shutil.copy(short_broadcast, tmp_path / name)
    ws = tmp_path / "ws"
    aramega("build-ssum", tmp_path / "a.wav", tmp_path / "b.wav", "-w", ws, "-q")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[100_000:200_000] = bytes(100_000)
    (tmp_path / "a.wav").write_bytes(content)
    build(ws, tmp_path / "b.wav", "passages.max_seconds=60", "passages.target_seconds=30")
    (tmp_path / "b.wav").unlink()
    with Store.open(WorkspaceFolder(ws)) as store:
        intact = next(r for r in list_recordings(store) if r.name == "b.wav")
        assert list_passages(store, intact.id)
    assert (
        aramega("build-ssum", "-w", ws, "--set", "passages.max_seconds=50", "--set", "passages.target_seconds=30").code
        == 3
    )
    assert "its file is gone or is another now" in aramega("status", ws).out


def test_a_mended_file_is_tried_again_even_when_it_is_not_named(
    aramega: Run, tmp_path: Path, short_broadcast: Path
) -> None:
    (tmp_path / "late.wav").touch()
    assert aramega("build-ssum", tmp_path / "late.wav", "-w", tmp_path / "ws").code == 3
    shutil.copy(short_broadcast, tmp_path / "late.wav")
    assert aramega("build-ssum", "-w", tmp_path / "ws").code == 0


def test_a_manifests_bad_row_stays_a_failure_until_the_manifest_is_mended(
    aramega: Run, tmp_path: Path, short_broadcast: Path
) -> None:
    shutil.copy(short_broadcast, tmp_path / "a.wav")
    (tmp_path / "m.csv").write_text("path\na.wav\nb.wav\n")
    assert aramega("build-ssum", tmp_path / "m.csv", "-w", tmp_path / "ws").code == 3
    assert aramega("build-ssum", "-w", tmp_path / "ws").code == 3
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    assert aramega("build-ssum", tmp_path / "m.csv", "-w", tmp_path / "ws").code == 0


def test_a_stage_misspelt_changes_nothing(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--until", "pasages")
    assert said.code == 2
    assert not (tmp_path / "ws").exists()


def test_the_default_configuration_needs_nothing_optional(tmp_path: Path) -> None:
    assert not Config().segment.second_opinion
