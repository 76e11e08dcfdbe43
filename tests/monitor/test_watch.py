"""status --watch: the pace of the last minute, what is left at that pace, and what failed last."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.console import Console

from aramega.config import Config, save_config
from aramega.monitor.terminal import render
from aramega.monitor.watch import Moment, look
from aramega.pipeline import Pipeline
from aramega.records import Recording, Source
from aramega.store import Broken, Finished, Store
from aramega.store.results import note_result, write_outcomes
from aramega.store.sources import note_sources
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run, command
from tests.support.database import connection_of
from tests.support.workspaces import a_recording

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)


@pytest.fixture
def place(tmp_path: Path) -> WorkspaceFolder:
    """Ten files: four were ingested ten seconds ago and two long before, one is broken, three wait; two recordings
    are segmented, and gave three passages each."""
    place = WorkspaceFolder(tmp_path)
    save_config(Config(), place.config)
    marks = Pipeline.from_config(Config(), place).marks
    with Store.create_or_open(place) as store:
        note_sources(store, [(Source(f"/in/{i}.mp3"), 1, 1) for i in range(10)])
        known = [a_recording(f"{i:016x}", f"{i}.mp3", 900.0) for i in range(6)]
        made = [Finished(marks["ingest"], f"/in/{i}.mp3", (Recording,), [known[i]], 1.0) for i in range(6)]
        write_outcomes(store, [*made, Broken(marks["ingest"], "/in/6.mp3", "an empty file (0 bytes)")])
        for recording in known[:2]:
            for stage, number in (("segment", 9), ("passages", 3)):
                note_result(store, marks[stage], recording.id, count=number)
        ago = "UPDATE results SET finished_at = ? WHERE stage = ?"
        connection_of(store).execute(ago, (_ago(10), "ingest"))
        connection_of(store).execute(f"{ago} AND item < '/in/2'", (_ago(600), "ingest"))
        connection_of(store).execute(f"{ago}", (_ago(600), "segment"))
        connection_of(store).execute(f"{ago}", (_ago(30), "passages"))
    return place


def _ago(seconds: int) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat(timespec="seconds")


def seen(place: WorkspaceFolder, now: datetime = NOW) -> Moment:
    with Store.open(place) as store:
        return look(store, place, now)


def test_the_pace_is_that_of_the_last_minute(place: WorkspaceFolder) -> None:
    ingest, segment, passages = seen(place).paces
    assert (ingest.items, ingest.hours_an_hour) == (4, 60.0)  # an hour of sound in a minute
    assert (segment.items, passages.items) == (0, 2)


def test_what_earlier_stages_still_owe_counts_as_left(place: WorkspaceFolder) -> None:
    ingest, segment, passages = seen(place).paces
    assert ingest.left == 3
    assert segment.left == 4 + 3
    assert passages.left == 4 + 3


def test_drafting_counts_the_passages_that_are_to_come(place: WorkspaceFolder) -> None:
    config = Config.model_validate({"transcribe": {"model": "small"}})
    save_config(config, place.config)
    left = {pace.stage: pace.left for pace in seen(place).paces}
    assert left["transcribe"] == 2 * 3 + (4 + 3) * 3
    assert {left[stage] for stage in ("summarize", "label", "check")} == {left["transcribe"]}


def test_the_time_left_is_that_at_this_pace_and_unknown_where_nothing_moves(place: WorkspaceFolder) -> None:
    moment = seen(place)
    ingest, segment, passages = moment.paces
    assert ingest.seconds_left == 3 * 60 / 4
    assert passages.seconds_left == 7 * 60 / 2
    assert segment.seconds_left is None
    assert moment.seconds_left is None
    assert moment.quiet_seconds == 10


def test_a_clock_that_was_set_back_shows_no_pace_from_the_future(place: WorkspaceFolder) -> None:
    assert not any(pace.items for pace in seen(place, NOW - timedelta(hours=1)).paces)


def test_the_newest_failures_come_by_name(place: WorkspaceFolder) -> None:
    [failure] = seen(place).newest_failures
    assert (failure.stage, failure.name, failure.error) == ("ingest", "6.mp3", "an empty file (0 bytes)")


def test_a_person_sees_a_table_and_is_asked_whether_a_build_runs(place: WorkspaceFolder) -> None:
    shown = _shown(seen(place))
    assert "sound an hour" in shown
    assert "60.0 h" in shown
    assert "6.mp3: an empty file (0 bytes)" in shown
    assert ": under way" in shown
    assert "no result for 1:00:10. Is a build running?" in _shown(seen(place, NOW + timedelta(hours=1)))


def test_a_workspace_without_anything_says_so(tmp_path: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    Store.create_or_open(place).close()
    assert "nothing is left to do" in _shown(seen(place))


def _shown(moment: Moment) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(render(moment))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_machines_get_the_status_and_the_pace_in_one_object(aramega: Run, place: WorkspaceFolder) -> None:
    told = json.loads(aramega("status", place.root, "--json").out)
    assert {
        "stages",
        "reasons",
        "next_steps",
        "paces",
        "newest_failures",
        "seconds_left",
        "quiet_seconds",
        "at",
    } <= set(told)
    assert [pace["stage"] for pace in told["paces"]] == [books["stage"] for books in told["stages"]]


def test_watching_for_machines_is_an_object_a_line_until_interrupted(place: WorkspaceFolder) -> None:
    line = command("status", place.root, "--watch", "--json", "--interval", "0.1")
    with _started(line, stdout=subprocess.PIPE) as watching:
        assert watching.stdout
        looks = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
        assert watching.wait() == 0
    assert looks[0]["at"] <= looks[1]["at"]


def test_watching_shows_what_came_meanwhile_on_a_terminal(place: WorkspaceFolder) -> None:
    terminal, end = pty.openpty()
    with _started(
        command("status", place.root, "--watch", "--interval", "0.1"),
        stdout=end,
        env={"COLUMNS": "160", "TERM": "xterm"},
    ) as watching:
        _read_until(terminal, "an empty file")
        marks = Pipeline.from_config(Config(), place).marks
        with Store.create_or_open(place) as store:
            write_outcomes(store, [Broken(marks["ingest"], "/in/7.mp3", "no audio stream")])
        _read_until(terminal, "7.mp3: no audio stream")
        watching.send_signal(signal.SIGINT)
        assert watching.wait() == 0
    os.close(terminal)
    os.close(end)


def test_watching_into_a_pipe_that_closes_ends_quietly(place: WorkspaceFolder) -> None:
    line = command("status", place.root, "--watch", "--json", "--interval", "0.1")
    with _started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdout
        assert watching.stderr
        watching.stdout.readline()
        watching.stdout.close()
        assert watching.stderr.read() == b""
        assert watching.wait() == 0


def _started(line: list[str], **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **options.pop("env", {})}  # type: ignore[dict-item]
    # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
    return subprocess.Popen(line, preexec_fn=_heed_interrupts, env=environment, **options)  # type: ignore[call-overload, no-any-return]  # noqa: PLW1509  no threads here


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read_until(terminal: int, wanted: str) -> None:
    shown = ""
    while wanted not in shown:
        shown += os.read(terminal, 1 << 16).decode("utf-8", "replace")
