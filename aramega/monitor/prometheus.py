"""Prometheus: gives a build's progress as metrics, at an address or in a file for node-exporter.

A metric is another way to say what `progress.json` says, and is made of it at the moment it is asked for; so nothing
is counted twice, and what a build does never waits for who watches it. The address is served by a process of its own:
the driver forks its workers and must stay a single thread. It ends with the driver, however that ends.

Counters begin at 0 with each run, as Prometheus expects. A file stays as the last run left it.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from aramega.display import visible
from aramega.engine.processes import START, belong_to
from aramega.monitor.progress_file import read_as_written
from aramega.records import AramegaError, BuildProgress
from aramega.workspace import WorkspaceFolder


def check_metrics(file: Path | None) -> None:
    """Raise, before anything starts, where the metrics could not be told."""
    if importlib.util.find_spec("prometheus_client") is None:
        raise AramegaError(
            "--metrics and --metrics-file need prometheus-client: pip install '.[metrics]' in aramega's clone."
        )
    if file and file.suffix != ".prom":
        raise AramegaError(f"--metrics-file {file}: node-exporter reads files named *.prom only.")
    if file and not os.access(file.absolute().parent, os.W_OK | os.X_OK):
        raise AramegaError(f"--metrics-file {file}: its folder is not there or can't be written to.")


@contextmanager
def serving(workspace: WorkspaceFolder, address: str) -> Iterator[str]:
    """Serve the metrics of this process's build at `[HOST:]PORT`, and give their URL."""
    host, port = parse_address(address)
    listening = _listen(address, host, port)
    server = START.Process(target=_serve, args=(listening, workspace, os.getpid()), daemon=True)
    server.start()
    bound = listening.getsockname()
    listening.close()  # or the workers would inherit it, and keep the port
    try:
        yield f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}/metrics"
    finally:
        server.kill()
        server.join()


def parse_address(address: str) -> tuple[str, int]:
    """`9464`, `0.0.0.0:9464` or `[::1]:9464`; this machine alone, unless a host is named."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise AramegaError(f"--metrics {address}: give [HOST:]PORT, such as 9464 or 0.0.0.0:9464.")
    return host.strip("[]") or "127.0.0.1", int(port)


def write_metrics(workspace: WorkspaceFolder, file: Path) -> Callable[[BuildProgress], None]:
    """Make a listener that writes a build's metrics to `file`, whole or not at all."""
    from prometheus_client import write_to_textfile

    def write(progress: BuildProgress) -> None:
        write_to_textfile(str(file), _registry(lambda: progress, workspace))

    return write


def families(progress: BuildProgress, workspace: str) -> Iterable[Any]:
    """All metrics of one moment. The workspace is a label, so that builds beside each other are told apart."""
    yield from _totals(progress, workspace)
    yield from _gauges(progress, workspace)


def _totals(progress: BuildProgress, workspace: str) -> Iterable[Any]:
    """What only grows while a build runs."""
    from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily

    where = ("workspace", "stage", "node")
    items = CounterMetricFamily("aramega_items", "Items finished in this run.", labels=[*where, "outcome"])
    sound = CounterMetricFamily("aramega_sound_seconds", "Of sound, in what this run's items made.", labels=where)
    took = SummaryMetricFamily("aramega_item_seconds", "Seconds of a worker an item took.", labels=where)
    for node in progress.nodes:
        for work in node.work:
            of = [workspace, work.stage, node.node]
            items.add_metric([*of, "done"], work.done)
            items.add_metric([*of, "failed"], work.failed)
            sound.add_metric(of, work.sound_seconds)
            took.add_metric(of, count_value=work.done + work.failed, sum_value=work.busy_seconds)
    return items, sound, took


def _gauges(progress: BuildProgress, workspace: str) -> Iterable[Any]:
    """What may rise and fall: the values of this moment."""
    queue = _gauge("aramega_queue_items", "Items that could be done now, by stage.", "stage", "state")
    totals = _gauge("aramega_workspace_items", "Items in all runs so far, by stage.", "stage", "outcome")
    at_it = _gauge("aramega_workers", "Workers, by the stage they are at or wait for.", "stage", "state")
    for stage in progress.stages:
        queue.add_metric([workspace, stage.stage, "waiting"], stage.waiting)
        queue.add_metric([workspace, stage.stage, "under_way"], stage.under_way)
        totals.add_metric([workspace, stage.stage, "done"], stage.done)
        totals.add_metric([workspace, stage.stage, "failed"], stage.failed)
        at_it.add_metric([workspace, stage.stage, "busy"], stage.busy)
        at_it.add_metric([workspace, stage.stage, "idle"], stage.workers - stage.busy)
    shared = progress.workers - sum(stage.workers for stage in progress.stages)
    at_it.add_metric([workspace, "any", "idle"], shared)

    node_workers = _gauge("aramega_node_workers", "Workers, by the node they are on.", "node", "state")
    for node in progress.nodes:
        node_workers.add_metric([workspace, node.node, "busy"], node.busy)
        node_workers.add_metric([workspace, node.node, "idle"], node.workers - node.busy)

    drafts = _gauge(
        "aramega_drafts", "Drafts by decision, and whether somebody has reviewed them.", "decision", "reviewed"
    )
    for decision, number in progress.drafts.items():
        unreviewed = progress.unreviewed.get(decision, 0)
        drafts.add_metric([workspace, decision, "no"], unreviewed)
        drafts.add_metric([workspace, decision, "yes"], number - unreviewed)

    left = _gauge("aramega_seconds_left", "Of the whole build, at the last minute's pace; absent where unknown.")
    if progress.seconds_left is not None:
        left.add_metric([workspace], progress.seconds_left)
    running = _gauge("aramega_building", "1 while the build runs, 0 once it has ended.")
    running.add_metric([workspace], int(progress.state == "building"))
    begun = _gauge("aramega_begun_timestamp_seconds", "When the run began.")
    begun.add_metric([workspace], _unix(progress.begun))
    written = _gauge("aramega_told_timestamp_seconds", "When its driver last told of itself.")
    written.add_metric([workspace], _unix(progress.at))
    last = _gauge("aramega_last_item_timestamp_seconds", "When an item was last finished; before the first, the start.")
    last.add_metric([workspace], _unix(progress.last_item_at or progress.begun))
    return queue, totals, at_it, node_workers, drafts, left, running, begun, written, last


def _gauge(name: str, help: str, *labels: str) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(name, help, labels=["workspace", *labels])


def _unix(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()


def _registry(latest: Callable[[], BuildProgress | None], workspace: WorkspaceFolder) -> Any:
    from prometheus_client.registry import Collector, CollectorRegistry

    class Now(Collector):
        def collect(self) -> Iterable[Any]:
            progress = latest()
            return families(progress, visible(workspace.root)) if progress else ()

        def describe(self) -> Iterable[Any]:
            return ()

    registry = CollectorRegistry()
    registry.register(Now())
    return registry


def _listen(address: str, host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        # A port that a build has just left may be taken again; one that somebody listens at may not.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen()
    except OSError as error:
        raise AramegaError(
            f"--metrics {address}: {(error.strerror or str(error)).lower()}. Name another port."
        ) from None
    return listening


def _serve(listening: socket.socket, workspace: WorkspaceFolder, driver: int) -> None:
    """The life of the process that is asked for metrics."""
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    from prometheus_client import make_wsgi_app

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """One who hangs up in the middle is nobody's concern."""

    class Handler(WSGIRequestHandler):
        timeout = 10  # a caller that says nothing keeps its thread no longer

        def log_message(self, format: str, *args: Any) -> None:
            """The driver's terminal is the build's."""

    def latest() -> BuildProgress | None:
        progress = read_as_written(workspace)
        return progress if progress and progress.pid == driver else None  # not what an earlier build has left

    belong_to(driver)
    host, port = listening.getsockname()[:2]
    with Server((host, port), Handler, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listening
        server.server_name, server.server_port = host, port
        server.setup_environ()
        server.set_app(make_wsgi_app(_registry(latest, workspace)))
        server.serve_forever()
