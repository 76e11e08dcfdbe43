"""Status: the workspace's books, for a person and for a machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.cli import Run


@pytest.fixture
def workspace(aramega: Run, tmp_path: Path, short_broadcast: Path) -> Path:
    """One good recording, one broken, one with nothing in it."""
    shutil.copy(short_broadcast, tmp_path / "good.wav")
    (tmp_path / "blink.wav").write_bytes(short_broadcast.read_bytes()[:6444])
    (tmp_path / "empty.mp3").touch()
    aramega("build-ssum", tmp_path, "-w", tmp_path / "ws", "-q")
    return tmp_path / "ws"


def test_it_counts_what_is_done_and_what_failed_and_names_why(aramega: Run, workspace: Path) -> None:
    said = aramega("status", workspace).out
    assert "3 files, 2 recordings" in said
    assert "an empty file (0 bytes)" in said
    assert "blink.wav" in said
    assert "--retry-failed" in said


def test_the_same_is_there_for_machines(aramega: Run, workspace: Path) -> None:
    books = {stage["stage"]: stage for stage in json.loads(aramega("status", workspace, "--json").out)["stages"]}
    assert (books["ingest"]["done"], books["ingest"]["failed"]) == (2, 1)
    assert books["passages"]["made"] >= 1
    assert all(stage["pending"] == 0 for stage in books.values())


def test_a_changed_option_shows_as_work_to_do(aramega: Run, workspace: Path) -> None:
    text = (workspace / "aramega.toml").read_text()
    (workspace / "aramega.toml").write_text(text.replace("max_pause = 4.0", "max_pause = 3.0"))
    books = {stage["stage"]: stage for stage in json.loads(aramega("status", workspace, "--json").out)["stages"]}
    assert (books["segment"]["pending"], books["passages"]["pending"]) == (0, 2)
    assert "not all is built (passages: 2 to do)" in aramega("export", workspace, "--format", "jsonl").err


def test_asking_changes_nothing(aramega: Run, workspace: Path) -> None:
    before = (workspace / "aramega.db").read_bytes()
    aramega("status", workspace)
    assert (workspace / "aramega.db").read_bytes() == before


def test_a_foreign_file_beside_a_recording_is_one_note_in_status_and_report(
    aramega: Run, tmp_path: Path, short_broadcast: Path
) -> None:
    shutil.copy(short_broadcast, tmp_path / "news.wav")
    (tmp_path / "news.srt").write_text("a poem, and no subtitles")
    cues = [f"00:{at:02}.000 --> 00:{at + 1:02}.000\nأعلنت الوزارة اليوم\n" for at in range(59)]
    (tmp_path / "news.vtt").write_text("\n".join(["WEBVTT\n", *cues]))
    place = tmp_path / "ws"
    assert aramega("build-ssum", tmp_path, "-w", place, "-q", "--asr-model", "subtitles").code in (0, 3)
    [note] = json.loads(aramega("status", place, "--json").out)["notes"]
    assert "news.srt passed over: no subtitles found" in note["text"]
    assert (note["count"], note["names"]) == (1, ["news.wav"])
    assert aramega("status", place).out.count("news.srt passed over") == 1
    assert aramega("report", place).code == 0
    assert (place / "report.html").read_text(encoding="utf-8").count("news.srt passed over") == 1
