"""A build from its beginning to its result: sources noted, stages run, listeners told.

The build's lock is held from the first write to the last, so that two builds never meet in one workspace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aramega.api.access import Access
from aramega.config import Config
from aramega.cores import count_cores
from aramega.errors import AramegaError
from aramega.pipeline import Pipeline
from aramega.pipeline.build import (
    Request,
    Summary,
    add_sources,
    building,
    count_pending,
    estimate_summaries,
    run_build,
    summarize,
)
from aramega.sources import find_sources
from aramega.store import Store
from aramega.store.sources import bytes_to_ingest
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    from aramega.backends.llm.estimates import Estimate
    from aramega.engine import Engine, WorkerStatus
    from aramega.monitor.progress import ProgressListener, ProgressReporter
    from aramega.pipeline.plan import Progress
    from aramega.records import Source
    from aramega.sources import Problem


EngineName = Literal["local", "ray", "inline"]


@dataclass(frozen=True)
class BuildOptions:
    """What a build is asked for."""

    config: Config
    sources: Sequence[str] = ()
    until: str | None = None
    limit: int | None = None
    retry_failed: bool = False
    workers: int | None = None
    """None: the machine's cores."""
    engine: EngineName = "local"
    ray_address: str | None = None
    metrics: str | None = None
    """[HOST:]PORT where Prometheus may ask."""
    metrics_file: Path | None = None


@dataclass(frozen=True)
class BuildResult:
    """What the workspace has come to, and whether this run stopped before its end."""

    summary: Summary
    stopped: bool
    """A stage can't go on now (a budget is spent, a server is down); run again later."""

    @property
    def failed(self) -> int:
        return self.summary.failed


@dataclass(frozen=True)
class BuildPlan:
    """What a build would do."""

    files: int
    """Recordings that the named sources hold."""
    named: bool
    ready: Mapping[str, int]
    """Items that each stage could do now; empty where nothing is built yet."""
    estimate: Estimate | None
    """What the summaries of transcribed passages would cost, where a language model writes them."""


class BuildListener:
    """Hears of a build's start, its news and its end. Override what you want to hear."""

    def start(self, to_ingest: Mapping[str, int]) -> None:
        """`to_ingest`: the bytes of each file that is still to be opened."""

    def note(self, text: str) -> None:
        """What is no failure and should be known."""

    def metrics_at(self, url: str) -> None:
        """Where Prometheus may ask while the build runs."""

    def notes(self, notes: Sequence[str]) -> None:
        """The files that were passed over."""

    def news(self, batch: Sequence[Progress]) -> None:
        """Items that were finished or failed, after they were written."""

    def look(self, workers: Sequence[WorkerStatus]) -> None:
        """About once a second: what the workers do."""

    def stop(self) -> None:
        """The build has ended, well or not."""


class CallListener(BuildListener):
    """Calls a function for each item."""

    def __init__(self, on_progress: Callable[[Progress], object] | None, notify: Callable[[str], None]) -> None:
        self._on_progress = on_progress
        self._notify = notify

    def note(self, text: str) -> None:
        self._notify(text)

    def notes(self, notes: Sequence[str]) -> None:
        for line in notes:
            self._notify(line)

    def news(self, batch: Sequence[Progress]) -> None:
        if self._on_progress:
            for progress in batch:
                self._on_progress(progress)


def add(workspace: Access, names: Sequence[str]) -> list[str]:
    """Note what was named, without building."""
    pipeline = workspace.pipeline
    sources = _find(names, pipeline.config)
    with building(workspace.folder), Store.create_or_open(workspace.folder) as store:
        return add_sources(store, pipeline, names, sources)


def build(workspace: Access, options: BuildOptions, listener: BuildListener) -> BuildResult:
    """Take the workspace's lock, add what was named, run what is left, and say what came of it."""
    folder = workspace.folder
    pipeline = Pipeline.from_config(options.config, folder, options.until)
    pipeline.check()
    sources = _find(options.sources, options.config)
    if not options.sources and not folder.database.exists():
        raise AramegaError(
            f"{folder.root} is not a workspace yet. Name the recordings: aramega build-ssum FOLDER -w DIR."
        )
    engine = make_engine(options)
    with (
        serving_metrics(folder, options.metrics, options.metrics_file, listener),
        building(folder),
        Store.create_or_open(folder) as store,
    ):
        listener.notes(add_sources(store, pipeline, options.sources, sources))
        begun = time.monotonic()
        listener.start(bytes_to_ingest(store, options.limit))
        try:
            stopped = _run(store, pipeline, engine, options, listener)
        finally:
            listener.stop()
        return BuildResult(summarize(store, pipeline, time.monotonic() - begun), stopped)


def plan_build(workspace: Access, options: BuildOptions) -> BuildPlan:
    """What a build would do, stage by stage, and what its summaries would cost."""
    folder, config = workspace.folder, options.config
    pipeline = Pipeline.from_config(config, folder, options.until)
    pipeline.check()
    files = len(list(find_sources(options.sources, config.ingest.extensions)))
    if not folder.database.exists():
        return BuildPlan(files, bool(options.sources), {}, None)
    with Store.open(folder) as store:
        ready = count_pending(store, pipeline)
        asks = config.transcribe.model and config.summarize.model.kind != "extractive"
        estimate = estimate_summaries(store, pipeline) if asks else None
    return BuildPlan(files, bool(options.sources), ready, estimate)


def make_engine(options: BuildOptions) -> Engine:
    """The engine that was asked for."""
    workers = options.workers or count_cores()
    if options.engine == "ray":
        from aramega.engine.ray import RayEngine, check_ray

        check_ray()
        return RayEngine(workers, options.config.engine, options.ray_address)
    if options.engine == "inline":
        from aramega.engine.inline import InlineEngine

        return InlineEngine()
    from aramega.engine.local import LocalEngine

    return LocalEngine(workers)


def _find(names: Sequence[str], config: Config) -> list[Source | Problem]:
    sources = list(find_sources(names, config.ingest.extensions))
    if names and not sources:
        extensions = ", ".join(config.ingest.extensions[:6])
        raise AramegaError(
            f"{', '.join(names)}: no recordings found (looked for {extensions}, …; see ingest.extensions)."
        )
    return sources


def _run(store: Store, pipeline: Pipeline, engine: Engine, options: BuildOptions, listener: BuildListener) -> bool:
    """Run the stages; whether one of them stopped before its end."""
    stopped = False
    if choice := _recognizer_chosen(options.config.transcribe.model):
        listener.note(choice)
    request = Request(options.limit, options.retry_failed)
    with _make_reporter(store, pipeline, engine, options, listener) as reporter:
        for news in run_build(store, pipeline, engine, request):
            listener.news(news)
            reporter.note(news)
            if not news:
                listener.look(engine.statuses())
                reporter.look(engine.statuses())
            stopped = stopped or any(progress.stopped for progress in news)
    return stopped


def _recognizer_chosen(model: str) -> str:
    """What hears, where the name alone leaves it to what is installed; nothing where it says so itself."""
    if not model or ":" in model or model in ("demo", "subtitles"):
        return ""
    from aramega.backends.asr.by_name import describe_choice

    return describe_choice(model)


def _make_reporter(
    store: Store, pipeline: Pipeline, engine: Engine, options: BuildOptions, listener: BuildListener
) -> ProgressReporter:
    """What writes the progress file and the metrics file while the build runs."""
    from aramega.monitor.progress import ProgressReporter
    from aramega.monitor.progress_file import write_progress

    listeners: list[ProgressListener] = [partial(write_progress, pipeline.workspace)]
    if options.metrics_file:
        from aramega.monitor.prometheus import write_metrics

        listeners.append(write_metrics(pipeline.workspace, options.metrics_file))
    return ProgressReporter(store, pipeline, engine.name, listeners, listener.note)


@contextmanager
def serving_metrics(
    folder: WorkspaceFolder, address: str | None, file: Path | None, listener: BuildListener | None = None
) -> Iterator[None]:
    """Serve the metrics that were asked for, and say what keeps us from it before anything else starts."""
    if address is None and file is None:
        yield
        return
    from aramega.monitor.prometheus import check_metrics, serving

    check_metrics(file)
    if address is None:
        yield
        return
    with serving(folder, address) as url:
        if listener:
            listener.metrics_at(url)
        yield
