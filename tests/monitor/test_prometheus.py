"""Metrics: what Prometheus gets when it asks a build, and what a batch job leaves for node-exporter."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families

from aramega.api.building import serving_metrics
from aramega.config import Config
from aramega.engine import pools
from aramega.engine.local import LocalEngine
from aramega.monitor.progress import ProgressReporter
from aramega.monitor.progress_file import read_progress, write_progress
from aramega.monitor.prometheus import check_metrics, parse_address, serving, write_metrics
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.records import AramegaError, BuildProgress, NodeProgress, StageProgress, Work
from aramega.sources import find_sources
from aramega.store import Store
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run, command

A_MOMENT = BuildProgress(
    version=1,
    at="2026-11-21T12:00:10+00:00",
    state="building",
    begun="2026-11-21T12:00:00+00:00",
    pid=1,
    host="a",
    engine="ray",
    workers=4,
    busy=2,
    stages=(
        StageProgress("ingest", 5, 1, 10, 2, 1, 1, 72.0, 9.5, 8, 6.7),
        StageProgress("transcribe", 30, 8, 40, 0, 2, 1, 240.0, 1.5, 80, 20.0),
    ),
    nodes=(NodeProgress("a/1", 3, 2, 0.9, (Work("ingest", 10, 2, 95.5, 12.25),)), NodeProgress("b/2", 1, 0, 0.0, ())),
    seconds_left=20.0,
    last_item_at=None,
    drafts={"keep": 30, "review first": 8},
    unreviewed={"keep": 30, "review first": 5},
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(text: str, workspace: Path) -> Samples:
    """Every sample by its name and labels, but for the workspace, which they must all carry."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("workspace") == str(workspace)
            key = (sample.name, frozenset(labels.items()))
            assert key not in found, f"{key} twice, which Prometheus refuses"
            found[key] = sample.value
    return found


def of(samples: Samples, name: str, **labels: str) -> float:
    """The sum of the samples that carry these labels."""
    return sum(value for (n, had), value in samples.items() if n == name and labels.items() <= dict(had).items())


def scrape(url: str) -> str:
    with urllib.request.urlopen(url, timeout=600) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return str(answer.read().decode())


def test_each_figure_has_its_place(tmp_path: Path) -> None:
    write_metrics(WorkspaceFolder(tmp_path), tmp_path / "a.prom")(A_MOMENT)
    samples = parse((tmp_path / "a.prom").read_text(), tmp_path)
    assert of(samples, "aramega_items_total", stage="ingest", node="a/1", outcome="failed") == 2
    assert of(samples, "aramega_sound_seconds_total", stage="ingest") == 95.5
    assert of(samples, "aramega_item_seconds_count", stage="ingest") == 12
    assert of(samples, "aramega_item_seconds_sum", stage="ingest") == 12.25
    assert of(samples, "aramega_queue_items", stage="transcribe", state="waiting") == 30
    assert of(samples, "aramega_queue_items", stage="transcribe", state="under_way") == 8
    assert of(samples, "aramega_workspace_items", stage="transcribe", outcome="done") == 40
    assert of(samples, "aramega_workers", state="busy") == 2
    assert of(samples, "aramega_workers", stage="transcribe", state="idle") == 1
    assert of(samples, "aramega_workers", stage="any", state="idle") == 1
    assert of(samples, "aramega_node_workers", node="a/1", state="idle") == 1
    assert of(samples, "aramega_drafts", decision="review first", reviewed="no") == 5
    assert of(samples, "aramega_drafts", reviewed="yes") == 3
    assert of(samples, "aramega_seconds_left") == 20
    assert of(samples, "aramega_building") == 1
    begun = of(samples, "aramega_begun_timestamp_seconds")
    assert of(samples, "aramega_told_timestamp_seconds") == begun + 10
    assert of(samples, "aramega_last_item_timestamp_seconds") == begun


def test_no_time_left_is_no_sample_rather_than_a_wrong_one(tmp_path: Path) -> None:
    write = write_metrics(WorkspaceFolder(tmp_path), tmp_path / "a.prom")
    write(replace(A_MOMENT, seconds_left=None))
    names = {name for name, _ in parse((tmp_path / "a.prom").read_text(), tmp_path)}
    assert "aramega_seconds_left" not in names
    assert "aramega_building" in names


def test_a_build_is_scraped_over_http_while_it_runs(
    tmp_path: Path, broadcast: Path, short_broadcast: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "LOOK_EVERY", 0.05)
    place, config, engine = WorkspaceFolder(tmp_path), Config(), LocalEngine(2)
    pipeline = Pipeline.from_config(config, place)
    named = [str(broadcast), str(short_broadcast)]
    seen = []
    with serving(place, "0") as url, building(place), Store.create_or_open(place) as store:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", url)
        assert scrape(url).strip() == ""  # nothing has been told yet
        add_sources(store, pipeline, named, find_sources(named, config.ingest.extensions))
        listeners = [partial(write_progress, place)]
        with ProgressReporter(store, pipeline, engine.name, listeners, pytest.fail) as reporter:
            for news in run_build(store, pipeline, engine):
                reporter.note(news)
                if not news:
                    reporter.look(engine.statuses())
                    seen.append(parse(scrape(url), tmp_path))
        seen.append(parse(scrape(url), tmp_path))
    *running, last = seen
    assert all(of(one, "aramega_building") == 1 for one in running)
    assert max(of(one, "aramega_workers", state="busy") for one in running) == 2
    assert any(of(one, "aramega_queue_items", stage="ingest", state="under_way") for one in running)
    for name in ("aramega_items_total", "aramega_sound_seconds_total", "aramega_item_seconds_sum"):
        grown = [of(one, name) for one in seen]
        assert grown == sorted(grown), "a counter never falls"
    assert of(last, "aramega_building") == 0
    assert of(last, "aramega_items_total", outcome="done") == 6
    assert of(last, "aramega_items_total", outcome="failed") == 0
    with pytest.raises(OSError, match="refused"):
        scrape(url)


def test_what_an_earlier_build_told_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    place = WorkspaceFolder(tmp_path)
    write_progress(place, A_MOMENT)
    with serving(place, "0") as url:
        assert "aramega" not in scrape(url)
        write_progress(place, replace(A_MOMENT, pid=os.getpid()))
        assert "aramega_items_total" in scrape(url)


def test_callers_who_hang_up_or_say_nothing_keep_nobody_waiting(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(WorkspaceFolder(tmp_path), "0") as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)) as rude:
            rude.sendall(b"GET /metr")
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            rude.close()
            scrape(url)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        connection.request("POST", "/metrics")
        assert connection.getresponse().status == 405
    assert capfd.readouterr() == ("", "")


def test_addresses_are_this_machine_unless_another_is_named() -> None:
    assert parse_address("9464") == ("127.0.0.1", 9464)
    assert parse_address("0.0.0.0:9464") == ("0.0.0.0", 9464)
    assert parse_address("[::1]:9464") == ("::1", 9464)


# As a curator meets it


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_said_to_be_and_nothing_is_built(
    aramega: Run, tmp_path: Path, short_broadcast: Path, taken: int
) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--metrics", str(taken))
    assert said.code == 2
    assert said.err == f"aramega: --metrics {taken}: address already in use. Name another port.\n"
    assert not (tmp_path / "ws").exists()


@pytest.mark.parametrize(
    ("address", "file", "message"),
    [
        ("http", None, r"give \[HOST:\]PORT"),
        ("70000", None, r"give \[HOST:\]PORT"),
        ("no.such.host.invalid:9464", None, r"--metrics no\.such\.host\.invalid:9464: "),
        (None, "a.txt", r"reads files named \*\.prom only"),
        (None, "/no/such/folder/a.prom", "its folder is not there"),
    ],
)
def test_what_cannot_be_told_is_said_before_anything_starts(
    tmp_path: Path, address: str | None, file: str | None, message: str
) -> None:
    asked = serving_metrics(WorkspaceFolder(tmp_path), address, Path(file) if file else None)
    with pytest.raises(AramegaError, match=message), asked:
        pytest.fail("it started")


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(AramegaError, match=r"pip install '\.\[metrics\]'"):
        check_metrics(None)


def test_a_batch_job_leaves_its_last_word_in_a_file(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--metrics-file", tmp_path / "news.prom")
    assert said.code == 0
    samples = parse((tmp_path / "news.prom").read_text(), tmp_path / "ws")
    assert of(samples, "aramega_building") == 0
    assert of(samples, "aramega_items_total", outcome="done") == 3
    assert [path.name for path in tmp_path.glob("news.prom*")] == ["news.prom"]


def test_a_killed_builds_address_is_gone_with_it_and_its_port_can_be_had_again(tmp_path: Path, broadcast: Path) -> None:
    line = command("build-ssum", broadcast, "-w", tmp_path, "--metrics", "0")
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as build:
        assert build.stderr
        url = build.stderr.readline().removeprefix("metrics: ").strip()
        while "aramega_building" not in scrape(url):
            assert build.poll() is None
        build.send_signal(signal.SIGKILL)
        build.wait()
    while _answers(url):  # the kernel ends the one who serves, if not in this very instant
        time.sleep(0.01)
    progress = read_progress(WorkspaceFolder(tmp_path))
    assert progress
    assert progress.state == "killed"
    with serving(WorkspaceFolder(tmp_path), url.removeprefix("http://").removesuffix("/metrics")) as again:
        assert again == url


def _answers(url: str) -> bool:
    try:
        scrape(url)
    except OSError:
        return False
    return True
