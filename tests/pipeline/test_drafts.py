"""Drafting from end to end with real Whisper code on random weights: resumed, stopped, and redone where it must be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("whisper")

from aramega.cli.exit_codes import COME_BACK_LATER
from tests.support.cli import Run, run_cli
from tests.support.kills import killed_at_result
from tests.support.whisper_models import save_random_whisper

FEW = ("--set", "transcribe.max_tokens=8", "--set", "transcribe.temperatures=[0.0]", "--set", "transcribe.batch=2")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_whisper(tmp_path_factory.mktemp("model") / "random.pt", width=16)


def drafts(workspace: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every draft; `took` and the times of day are not what a build promises."""
    connection = sqlite3.connect(workspace / "aramega.db")
    tables = ("transcripts", "summaries", "labels", "checks", "verdicts", "overviews")
    found = {table: sorted(connection.execute(f"SELECT * FROM {table}")) for table in tables}
    found["results"] = sorted(connection.execute("SELECT stage, item, fingerprint, made FROM results"))
    return found


@pytest.fixture(scope="module")
def calm(checkpoint: Path, broadcast: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("calm")
    assert run_cli(*drafting(checkpoint, broadcast, workspace)).code == 0
    return workspace


def drafting(checkpoint: Path, broadcast: Path, workspace: Path) -> list[str | Path]:
    build: list[str | Path] = ["build-ssum", broadcast, "-w", workspace, "-q", "--asr-model", checkpoint, *FEW]
    return [*build, "--summarize-recordings"]


def test_every_passage_gets_a_draft_and_a_verdict(calm: Path) -> None:
    found = drafts(calm)
    passages = len(found["transcripts"])
    assert passages >= 3
    assert [len(found[table]) for table in ("summaries", "labels", "checks", "verdicts")] == [passages] * 4
    assert len(found["overviews"]) == 1


def test_a_build_killed_while_it_drafts_ends_like_a_calm_one(
    checkpoint: Path, broadcast: Path, calm: Path, tmp_path: Path
) -> None:
    build = drafting(checkpoint, broadcast, tmp_path)
    assert killed_at_result(1, "before", *build, stage="transcribe")
    assert killed_at_result(1, "after", *build, stage="transcribe")
    begun = drafts(tmp_path)
    assert begun["transcripts"], "it was killed in the middle of drafting"
    assert len(begun["verdicts"]) < len(drafts(calm)["verdicts"])
    for stage in ("summarize", "check"):
        assert killed_at_result(1, "after", *build, stage=stage)
    assert run_cli(*build).code == 0
    assert drafts(tmp_path) == drafts(calm)


def test_another_prompt_redoes_summaries_and_leaves_transcripts(calm: Path, aramega: Run) -> None:
    before = drafts(calm)
    said = aramega("build-ssum", "-w", calm, "-q", "--set", "summarize.max_sentences=1")
    assert said.code == 0
    after = drafts(calm)
    assert after["transcripts"] == before["transcripts"]
    redone = {row[0] for row in set(after["results"]) - set(before["results"])}
    assert redone == {"summarize", "check", "judge", "overview"}


def test_without_a_model_a_build_ends_with_passages_and_says_what_comes_next(
    broadcast: Path, tmp_path: Path, aramega: Run
) -> None:
    assert aramega("build-ssum", broadcast, "-w", tmp_path, "-q").code == 0
    assert "--asr-model large-v3-turbo" in aramega("status", tmp_path).out
    assert "transcribe" not in aramega("build-ssum", "-w", tmp_path, "--dry-run").out


def test_a_checkpoint_that_cannot_be_loaded_stops_drafting_and_loses_nothing(
    checkpoint: Path, broadcast: Path, tmp_path: Path, aramega: Run
) -> None:
    cut = tmp_path / "cut.pt"
    cut.write_bytes(checkpoint.read_bytes()[:-10_000])
    refused = aramega("build-ssum", broadcast, "-w", tmp_path / "w", "--asr-model", cut)
    assert (refused.code, "not a checkpoint" in refused.err) == (2, True)
    import torch

    torch.save({"dims": {}, "model_state_dict": {}}, cut)
    stopped = aramega("build-ssum", broadcast, "-w", tmp_path / "w", "--asr-model", cut)
    assert stopped.code == COME_BACK_LATER
    assert "transcribe stopped: " in stopped.err
    assert "not those of a Whisper" in stopped.err
    assert "Left for another run: transcribe" in stopped.out
    mended = aramega("build-ssum", "-w", tmp_path / "w", "-q", "--asr-model", checkpoint, *FEW)
    assert mended.code == 0


def test_an_unknown_model_is_named_with_the_known_ones(broadcast: Path, tmp_path: Path, aramega: Run) -> None:
    said = aramega("build-ssum", broadcast, "-w", tmp_path / "w", "--asr-model", "large-v9")
    assert said.code == 2
    assert "large-v9: no such Whisper" in said.err
    assert "large-v3-turbo" in said.err
    assert not (tmp_path / "w").exists()
