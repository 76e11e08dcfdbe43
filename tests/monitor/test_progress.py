"""The progress file: what a driver tells of its build, while it runs and however it ends."""

from __future__ import annotations

import errno
import io
import json
import os
import platform
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from aramega.config import Config
from aramega.engine import WorkerStatus, pools
from aramega.engine.local import LocalEngine
from aramega.locks import holder_of
from aramega.monitor.progress import ProgressReporter
from aramega.monitor.progress_file import read_progress, write_progress
from aramega.monitor.terminal import render
from aramega.monitor.throughput import Throughput
from aramega.monitor.watch import look
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.pipeline.plan import Progress
from aramega.records import BuildProgress, NodeProgress, from_dict
from aramega.sources import find_sources
from aramega.store import Store
from aramega.store.recordings import count_recordings
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run, command

HERE = platform.node()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, broadcast: Path) -> Path:
    """Four recordings, and a file that is none."""
    folder = tmp_path_factory.mktemp("archive")
    for i in range(4):
        cut = ["ffmpeg", "-v", "error", "-ss", str(i), "-t", "180", "-i", str(broadcast), "-c", "copy"]
        subprocess.run([*cut, str(folder / f"{i}.mp3")], check=True)
    (folder / "broken.mp3").touch()
    return folder


def told_build(
    place: WorkspaceFolder, archive: Path, tell: Callable[[BuildProgress], None] | None = None, *, engine: Any = None
) -> list[str]:
    """A build that tells the progress file, and `tell`; what it complained of."""
    complaints: list[str] = []
    config, engine = Config(), engine or LocalEngine(2)
    pipeline = Pipeline.from_config(config, place)
    with building(place), Store.create_or_open(place) as store:
        add_sources(store, pipeline, [str(archive)], find_sources([str(archive)], config.ingest.extensions))
        listeners = [partial(write_progress, place), *([tell] if tell else [])]
        with ProgressReporter(store, pipeline, engine.name, listeners, complaints.append) as reporter:
            for news in run_build(store, pipeline, engine):
                reporter.note(news)
                if not news:
                    reporter.look(engine.statuses())
    return complaints


def test_a_build_tells_of_its_queues_workers_and_nodes_while_it_runs(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "LOOK_EVERY", 0.05)
    told: list[BuildProgress] = []
    assert told_build(WorkspaceFolder(tmp_path), archive, told.append) == []

    first, *between, last = told
    assert [stage.waiting for stage in first.stages] == [5, 0, 0]
    assert first.seconds_left is None
    assert {one.state for one in (first, *between)} == {"building"}
    assert {(one.pid, one.host, one.engine) for one in told} == {(os.getpid(), HERE, "local")}
    for one in between:
        ingest, *_ = one.stages
        assert ingest.waiting + ingest.under_way + ingest.done + ingest.failed == 5
        assert [node.node for node in one.nodes] == [HERE]
        assert one.busy == sum(stage.busy for stage in one.stages) == one.nodes[0].busy
        assert one.busy <= one.workers <= 2
    assert max(one.busy for one in between) == 2
    assert any(stage.items_a_minute > 0 and stage.seconds_left for one in between for stage in one.stages)

    assert (last.state, last.busy, last.seconds_left) == ("finished", 0, 0.0)
    assert [(s.stage, s.waiting, s.done, s.failed) for s in last.stages] == [
        ("ingest", 0, 4, 1),
        ("segment", 0, 4, 0),
        ("passages", 0, 4, 0),
    ]
    [node] = last.nodes
    assert {work.stage: (work.done, work.failed) for work in node.work} == {
        "ingest": (4, 1),
        "segment": (4, 0),
        "passages": (4, 0),
    }
    assert all(work.busy_seconds > 0 for work in node.work)
    assert node.work[0].sound_seconds == pytest.approx(4 * 180, abs=1)
    assert [(f.stage, f.name) for f in last.last_failures] == [("ingest", "broken.mp3")]
    assert from_dict(BuildProgress, json.loads((tmp_path / "progress.json").read_text())) == last


def test_a_build_that_is_run_again_counts_what_was_done_before(tmp_path: Path, short_broadcast: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    told_build(place, short_broadcast)
    told_build(place, short_broadcast)
    progress = read_progress(place)
    assert progress
    assert [stage.done for stage in progress.stages] == [1, 1, 1]
    assert progress.nodes == ()  # it had nothing to do
    assert progress.last_item_at is None


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("full")])
def test_a_build_goes_on_where_its_progress_cannot_be_told_and_says_so_once(
    tmp_path: Path, short_broadcast: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "LOOK_EVERY", 0.05)

    def fail(_: BuildProgress) -> None:
        raise error

    [complaint] = told_build(WorkspaceFolder(tmp_path), short_broadcast, fail)
    assert "can't be told" in complaint
    with Store.open(WorkspaceFolder(tmp_path)) as store:
        assert count_recordings(store)[0] == 1


def test_a_progress_file_that_cannot_be_replaced_stops_no_build(
    aramega: Run, tmp_path: Path, short_broadcast: Path
) -> None:
    (tmp_path / "progress.json" / "in the way").mkdir(parents=True)
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path)
    assert said.code == 0
    assert said.err.count("the progress of this build can't be told") == 1
    assert json.loads(aramega("status", tmp_path, "--json").out)["build"] is None


@pytest.mark.parametrize(
    ("end", "state"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "crashed"), (GeneratorExit, "interrupted")]
)
def test_the_last_word_is_how_the_build_ended(
    tmp_path: Path, short_broadcast: Path, end: type[BaseException], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "LOOK_EVERY", 0.0)

    def stop(progress: BuildProgress) -> None:
        if progress.workers:
            raise end

    place = WorkspaceFolder(tmp_path)
    with pytest.raises(end):
        told_build(place, short_broadcast, stop)
    progress = read_progress(place)
    assert progress
    assert progress.state == state


# Builds in processes of their own


@pytest.fixture
def running(tmp_path: Path, archive: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A build that is under way in `tmp_path` and has told of workers; it stands still until it is told to go on, for on
    a fast machine it would be over before anyone looks."""
    line = command("build-ssum", archive, "-w", tmp_path, "--quiet", "--workers", "1")
    with subprocess.Popen(line, preexec_fn=_heed_interrupts, stderr=subprocess.DEVNULL) as build:  # noqa: PLW1509  no threads here
        try:
            while not ((progress := read_progress(WorkspaceFolder(tmp_path))) and progress.busy):
                assert build.poll() is None
                time.sleep(0.01)  # until its first look, a second after it began
            build.send_signal(signal.SIGSTOP)
            yield build
        finally:
            build.kill()


def _heed_interrupts() -> None:
    """A shell that runs the tests in the background has SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_running_build_is_seen_from_beside_it(tmp_path: Path, running: subprocess.Popen[bytes]) -> None:
    line = command("status", tmp_path, "--watch", "--json", "--interval", "0.1")
    with subprocess.Popen(line, preexec_fn=_heed_interrupts, stdout=subprocess.PIPE) as watching:  # noqa: PLW1509
        assert watching.stdout
        told = json.loads(watching.stdout.readline())["build"]
        assert (told["state"], told["pid"], told["busy"]) == ("building", running.pid, 1)
        running.send_signal(signal.SIGCONT)
        assert [stage["stage"] for stage in told["stages"]] == ["ingest", "segment", "passages"]
        while told["state"] == "building":
            told = json.loads(watching.stdout.readline())["build"]
        assert told["state"] == "finished"
        assert [stage["done"] for stage in told["stages"]] == [4, 4, 4]
        watching.send_signal(signal.SIGINT)
        watching.stdout.read()
    assert running.wait() == 3


def test_a_killed_build_is_said_to_be_killed(aramega: Run, tmp_path: Path, running: subprocess.Popen[bytes]) -> None:
    assert holder_of(tmp_path / "build.lock") == running.pid
    running.kill()
    running.wait()
    assert json.loads((tmp_path / "progress.json").read_text())["state"] == "building"
    told = json.loads(aramega("status", tmp_path, "--json").out)["build"]
    assert (told["state"], told["pid"]) == ("killed", running.pid)
    assert "The last build was killed" in shown(WorkspaceFolder(tmp_path))
    aramega("build-ssum", "-w", tmp_path, "--quiet")
    assert json.loads((tmp_path / "progress.json").read_text())["state"] == "finished"
    assert not list(tmp_path.rglob("*.part"))


def test_a_build_that_is_stopped_politely_says_that_it_was_interrupted(
    tmp_path: Path, running: subprocess.Popen[bytes]
) -> None:
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGCONT)
    assert running.wait() == 130
    progress = read_progress(WorkspaceFolder(tmp_path))
    assert progress
    assert progress.state == "interrupted"
    assert "The last build was interrupted" in shown(WorkspaceFolder(tmp_path))


def test_a_number_that_another_process_has_by_now_is_not_taken_for_the_build(tmp_path: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    place.lock.touch()
    write_progress(place, replace(A_MOMENT, pid=os.getppid()))  # alive, and holds no lock
    progress = read_progress(place)
    assert progress
    assert progress.state == "killed"


def test_a_build_on_another_machine_counts_as_there_while_it_is_heard_of(tmp_path: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    write_progress(place, replace(A_MOMENT, host="elsewhere"))
    told = datetime.fromisoformat(A_MOMENT.at)
    states = [read_progress(place, told + timedelta(seconds=s)) for s in (1, 3600)]
    assert [one and one.state for one in states] == ["building", "unheard"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1}', "\x00" * 100])
def test_a_file_that_is_not_one_is_taken_for_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "progress.json").write_text(text)
    assert read_progress(WorkspaceFolder(tmp_path)) is None


# What people see

A_MOMENT = BuildProgress(
    version=1,
    at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    state="building",
    begun=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    pid=4242,
    host=HERE,
    engine="ray",
    workers=3,
    busy=2,
    stages=(),
    nodes=(),
    seconds_left=None,
    last_item_at=None,
)


def shown(place: WorkspaceFolder) -> str:
    console = Console(file=io.StringIO(), width=200)
    with Store.open(place) as store:
        console.print(render(look(store, place)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_people_see_nodes_where_there_are_several(tmp_path: Path, short_broadcast: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    told_build(place, short_broadcast)
    last = read_progress(place)
    assert last
    [node] = last.nodes
    other = NodeProgress("b/12cdef", 1, 1, 1.0, ())
    two = replace(
        last, state="building", pid=os.getpid(), workers=3, busy=2, nodes=(replace(node, node="a/12abcd"), other)
    )
    with building(place):
        write_progress(place, two)
        text = shown(place)
        assert f"process {os.getpid()} on {HERE}, engine local: 2 of 3 workers busy" in text
        assert "queue  under way  workers" in text
        assert "b/12cdef        1  100 %       0        0         0" in text
        write_progress(place, replace(two, nodes=(), workers=0, busy=0))
        assert "no worker has come yet" in shown(place)
        write_progress(place, replace(two, nodes=(node,)))
        assert "node " not in shown(place)
    write_progress(place, last)
    assert "queue" not in shown(place)
    assert "The last build finished" in shown(place)


# Tallies

STAGES, NODES = ("ingest", "segment"), ("a", "b")
items = st.builds(
    Progress,
    stage=st.sampled_from(STAGES),
    item=st.just("x"),
    name=st.just("x"),
    error=st.sampled_from(["", "", "broken"]),
    seconds=st.floats(0, 100),
    took=st.floats(0, 100),
    node=st.sampled_from(NODES),
)


@given(st.lists(st.lists(items, max_size=5), max_size=20))
def test_every_item_is_counted_once_on_its_node(batches: list[list[Progress]]) -> None:
    throughput = Throughput(0.0)
    for batch in batches:
        throughput.note(batch)
    throughput.look((), 1.0)
    every = [one for batch in batches for one in batch]
    for stage in STAGES:
        of = [one for one in every if one.stage == stage]
        assert throughput.done(stage) == sum(not one.error for one in of)
        assert throughput.failed(stage) == sum(bool(one.error) for one in of)
        assert throughput.items_a_minute(stage) == pytest.approx(60 * len(of))
    for node in throughput.nodes():
        mine = [one for one in every if one.node == node.node]
        assert sum(work.done + work.failed for work in node.work) == len(mine)
        assert sum(work.busy_seconds for work in node.work) == pytest.approx(sum(o.took for o in mine), abs=0.01)
        assert sum(work.sound_seconds for work in node.work) == pytest.approx(
            sum(one.seconds for one in mine if not one.error), abs=0.01
        )


def test_the_pace_is_that_of_the_last_minute_and_of_less_at_the_start() -> None:
    throughput = Throughput(0.0)
    one = Progress("ingest", "x", "x", "", 36.0, node="a")
    throughput.note([one])
    throughput.look((), 10.0)
    assert (throughput.items_a_minute("ingest"), throughput.hours_an_hour("ingest")) == (6.0, 3.6)
    for second in range(11, 200):
        throughput.note([one, one])
        throughput.look((), float(second))
    assert throughput.items_a_minute("ingest") == 120.0
    assert throughput.items_a_minute("segment") == 0.0


def test_how_busy_a_node_is_does_not_wait_for_its_items_to_end() -> None:
    throughput = Throughput(0.0)
    shared = frozenset({"ingest"})
    for second in range(1, 11):
        throughput.look(
            [
                WorkerStatus("a", shared, "ingest", ("long",)),
                WorkerStatus("a", shared, None, ()),
                WorkerStatus("", shared, "ingest", ("x",)),
            ],
            second,
        )
    unknown, node = throughput.nodes()
    assert (node.workers, node.busy, node.busy_share) == (2, 1, 0.5)
    assert (unknown.node, unknown.busy_share) == ("", 1.0)


def test_secrets_have_no_place_in_the_file() -> None:
    """Its fields are these; a new one is to be thought about."""
    assert set(asdict(A_MOMENT)) == {
        "version", "at", "state", "begun", "pid", "host", "engine", "workers", "busy", "stages", "nodes",
        "seconds_left", "last_item_at", "drafts", "unreviewed", "last_failures",
    }  # fmt: skip
