"""The stage `repeats`: what was broadcast before makes no passages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aramega.audio.repeats import Match
from aramega.config import RepeatsConfig
from aramega.records import Repeat, Segment
from aramega.stages.repeats import choose_originals, is_repeated
from aramega.store import Store
from aramega.store.recordings import list_passages, list_recordings, load_repeats
from aramega.workspace import WorkspaceFolder
from tests.support.cli import run_cli

OPTIONS = RepeatsConfig()


def match(start: float, end: float, of: str, of_start: float = 0.0) -> Match:
    return Match(start, end, of, of_start, of_start + end - start, 0.9)


def test_of_two_that_have_it_the_older_is_the_original() -> None:
    (repeat,) = choose_originals([match(10, 40, "old"), match(10, 40, "younger", 5)], OPTIONS)
    assert (repeat.of, repeat.of_start, repeat.times, repeat.skipped) == ("old", 0, 2, True)


def test_what_a_longer_repeat_covers_is_no_repeat_of_its_own() -> None:
    repeats = choose_originals([match(30, 60, "b", 100), match(0, 50, "a")], OPTIONS)
    assert [(repeat.start, repeat.end, repeat.of, repeat.of_start) for repeat in repeats] == [
        (0, 50, "a", 0),
        (50, 60, "b", 120),
    ]


@pytest.mark.parametrize(("times", "skipped"), [(1, False), (2, False), (3, True)])
def test_a_short_repeat_is_skipped_only_where_it_comes_again_and_again(times: int, skipped: bool) -> None:
    (repeat,) = choose_originals([match(10, 16, f"r{number}") for number in range(times)], OPTIONS)
    assert repeat.skipped is skipped


def test_a_segment_is_repeated_where_most_of_it_is() -> None:
    repeats = [Repeat(10, 20, "a", 0, 1, 1, True)]
    assert is_repeated(Segment("s", "r", 8, 18), repeats)
    assert not is_repeated(Segment("s", "r", 4, 12), repeats)


def test_a_programme_that_is_broadcast_again_makes_no_passages(short_broadcast: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.wav").write_bytes(short_broadcast.read_bytes())
    again = ["-af", "volume=0.4,asetrate=16320,aresample=16000", "-b:a", "48k", str(files / "b.mp3")]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(short_broadcast), *again], check=True)
    workspace = tmp_path / "ws"
    built = run_cli("build-ssum", files, "-w", workspace, "-q", "--workers", "1", "--set", "repeats.enabled=true")
    assert built.code == 0, built.text
    with Store.open(WorkspaceFolder(workspace)) as store:
        repeats = {r.name: load_repeats(store, r.id) for r in list_recordings(store)}
        passages = {r.name: list_passages(store, r.id) for r in list_recordings(store)}
    (first,) = [name for name, of_it in repeats.items() if not of_it]
    (second,) = repeats.keys() - {first}
    assert passages[first]
    assert not passages[second]
    assert repeats[second][0].skipped
    assert "broadcast before" in run_report(workspace)


def run_report(workspace: Path) -> str:
    assert run_cli("report", "-w", workspace).code == 0
    return (workspace / "report.html").read_text(encoding="utf-8")
