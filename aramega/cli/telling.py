"""Who is told of a running build, beside its terminal: the progress file, and Prometheus."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aramega.engine import Engine
    from aramega.monitor.progress import ProgressListener, ProgressReporter
    from aramega.pipeline import Pipeline
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder


@contextmanager
def serve_metrics(place: WorkspaceFolder, address: str | None, file: Path | None, *, quiet: bool) -> Iterator[None]:
    """See to it that the metrics asked for can be told, before anything else starts."""
    if address is None and file is None:
        yield
        return
    from aramega.monitor.prometheus import check_metrics, serving

    check_metrics(file)
    if address is None:
        yield
        return
    with serving(place, address) as url:
        if not quiet:
            print(f"metrics: {url}", file=sys.stderr)
        yield


def make_reporter(store: Store, pipeline: Pipeline, engine: Engine, metrics_file: Path | None) -> ProgressReporter:
    """One that tells everybody who is to know."""
    from aramega.monitor.progress import ProgressReporter
    from aramega.monitor.progress_file import write_progress

    listeners: list[ProgressListener] = [partial(write_progress, pipeline.workspace)]
    if metrics_file:
        from aramega.monitor.prometheus import write_metrics

        listeners.append(write_metrics(pipeline.workspace, metrics_file))
    return ProgressReporter(
        store, pipeline, engine.name, listeners, lambda why: print(f"aramega: {why}", file=sys.stderr)
    )
