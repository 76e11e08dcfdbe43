"""The Python API: what `import aramega as am` gives, used as a notebook would use it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import aramega as am
from aramega.api.locate import find_workspace
from aramega.workspace import WorkspaceFolder
from tests.support.drafts import drafted_workspace


@pytest.fixture
def drafted(tmp_path: Path) -> WorkspaceFolder:
    """Six drafted passages in two recordings."""
    return drafted_workspace(tmp_path / "news")


def test_importing_aramega_imports_nothing_heavy_and_offers_its_names() -> None:
    script = "import sys, aramega; print(len([m for m in sys.modules if m.startswith('aramega')]), dir(aramega))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("2 ")
    assert "Workspace" in shown
    assert am.open is not open
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = am.opne


def test_a_build_can_be_followed_and_its_passages_read(tmp_path: Path, short_broadcast: Path) -> None:
    workspace = am.create(tmp_path / "news", config={"passages": {"max_seconds": 60}})
    seen: list[str] = []
    result = workspace.build(short_broadcast, workers=1, on_progress=lambda item: seen.append(item.stage))
    assert seen == ["ingest", "segment", "passages"]
    assert (result.summary.recordings, result.failed, result.stopped) == (1, 0, False)
    [passage, *_] = am.open(tmp_path / "news").passages()
    assert passage.text == ""
    samples = passage.audio()
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16_000 * passage.seconds, abs=2)


def test_recordings_are_noted_first_and_built_later(tmp_path: Path, short_broadcast: Path) -> None:
    workspace = am.create(tmp_path / "news")
    assert workspace.add(short_broadcast) == []
    assert workspace.status().pending == 1
    assert workspace.plan_build().ready["ingest"] == 1
    assert workspace.build(workers=1, until="ingest").summary.recordings == 1


def test_passages_are_chosen_by_a_condition_and_read_one_by_one(drafted: WorkspaceFolder) -> None:
    passages = am.open(drafted.root).passages("dialect = 'EGY'")
    assert 0 < len(passages) < 6
    for passage in passages:
        assert passage.labels == {"dialect": "EGY", "emotion": passage.emotion}
        assert passage.text
        assert passage.summary
        assert not passage.is_reviewed


@pytest.mark.parametrize(
    "where",
    [
        "no_such_fact > 1",
        "(SELECT count(*) FROM reviews) >= 0",
        "passage IN (SELECT path FROM sources)",
        "1); DELETE FROM passages; --",
        "0) UNION SELECT recording FROM passage_facts WHERE (1",
        "load_extension('x')",
        "1 = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)",
    ],
)
def test_a_condition_reads_the_facts_of_passages_and_nothing_else(drafted: WorkspaceFolder, where: str) -> None:
    workspace = am.open(drafted.root)
    with pytest.raises(am.AramegaError, match="It is an SQLite expression over: passage, recording"):
        list(workspace.passages(where))
    assert len(workspace.passages()) == 6


def test_a_table_holds_a_row_a_passage_with_its_texts(drafted: WorkspaceFolder) -> None:
    pytest.importorskip("pandas")
    table = am.open(drafted.root).passages().to_pandas()
    assert list(table.id) == am.open(drafted.root).passages().ids()
    assert len(table) == 6
    assert table.text.str.len().min() > 0
    assert set(table.reviewed) == {False}
    assert list(am.open(drafted.root).passages("0").to_pandas().columns) == list(table.columns)


def test_a_dataset_has_the_sound(drafted: WorkspaceFolder) -> None:
    pytest.importorskip("datasets")
    rows = am.open(drafted.root).passages().to_dataset()
    assert rows.num_rows == 6
    sound = rows[0]["audio"].get_all_samples()
    assert sound.sample_rate == 16_000
    assert sound.data.shape[-1] == pytest.approx(16_000 * rows[0]["seconds"], rel=0.05)
    assert am.open(drafted.root).passages("0").to_dataset().features == rows.features


def test_settled_answers_stand_before_drafts(drafted: WorkspaceFolder) -> None:
    workspace = am.open(drafted.root)
    assert workspace.resolve("single", dry_run=True).changed == 6
    assert workspace.resolve("single", dry_run=True).changed == 6, "a dry run keeps nothing"
    assert workspace.resolve("single").changed == 6
    assert workspace.resolve("single").changed == 0


def test_what_is_published_can_be_compared(drafted: WorkspaceFolder, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    workspace = am.open(drafted.root)
    planned = workspace.publish(tmp_path / "set", dry_run=True)
    assert not planned.changed
    assert not (tmp_path / "set").exists()
    assert workspace.publish(tmp_path / "set").changed
    assert not workspace.publish(tmp_path / "set").changed
    with pytest.raises(am.AramegaError, match="one of the two"):
        workspace.publish(tmp_path / "set", repo="org/name")


def test_a_workspace_can_be_read_from_another_thread_while_it_is_built(tmp_path: Path, short_broadcast: Path) -> None:
    workspace = am.create(tmp_path / "news")
    counts: list[int] = []

    def read(_: object) -> None:
        reader = threading.Thread(target=lambda: counts.append(workspace.status().recordings))
        reader.start()
        reader.join()

    workspace.build(short_broadcast, workers=1, until="ingest", on_progress=read)
    assert counts == [1]


def test_a_wrong_option_is_named_with_the_nearest_right_one(tmp_path: Path) -> None:
    with pytest.raises(am.AramegaError, match=r"unknown key `passages.max_secs`; did you mean `max_seconds`\?"):
        am.create(tmp_path / "news", config={"passages": {"max_secs": 90}})
    with pytest.raises(am.AramegaError, match=r"unknown key `pasages`; did you mean `passages`\?"):
        am.create(tmp_path / "news", config={"pasages": {"max_seconds": 90}})
    assert not (tmp_path / "news").exists()


def test_what_is_no_workspace_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(am.AramegaError, match="not a workspace"):
        am.open(tmp_path)
    am.create(tmp_path / "news")
    with pytest.raises(am.AramegaError, match=r"is there already: .* is a workspace"):
        am.create(tmp_path / "news")
    with pytest.raises(am.AramegaError, match="begins"):
        am.open(tmp_path / "news").status()


def test_the_workspace_is_found_above_the_current_folder(
    drafted: WorkspaceFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = drafted.root / "clips" / "deep"
    inside.mkdir(parents=True)
    assert find_workspace(inside) == drafted.root
    assert find_workspace(tmp_path) == Path("aramega-workspace")
    monkeypatch.chdir(inside)
    assert am.open().path == drafted.root
    monkeypatch.setenv("ARAMEGA_WORKSPACE", str(tmp_path / "other"))
    assert find_workspace(inside) == tmp_path / "other"


def test_two_workspaces_above_are_one_clear_line(drafted: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "aramega.db").touch()
    with pytest.raises(am.AramegaError, match="lies in two workspaces") as refused:
        find_workspace(drafted.root)
    assert str(drafted.root) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_builds_at_once_are_one_clear_line_even_in_one_process(tmp_path: Path, short_broadcast: Path) -> None:
    workspace = am.create(tmp_path / "news")
    refused: list[str] = []

    def build_again(_: object) -> None:
        try:
            workspace.build(workers=1)
        except am.AramegaError as error:
            refused.append(str(error))

    workspace.build(short_broadcast, workers=1, until="ingest", on_progress=build_again)
    assert len(refused) == 1
    assert "another build is at work here" in refused[0]
