"""What it costs that a build tells how it goes: progress.json, with and without a metrics file and an address.

Many tiny files, so that items come as fast as they can and telling weighs most; the same build without a teller is the
peer, each kind in turn within the same run. Beside the whole time, which is noisy, there is the CPU time that the driver
spent in telling, as a share of the whole: what a build would lose if its driver had nothing else to wait for. That
does not depend on how busy the machine is, nor does the cost of a single look, of which there is one a second.

    python benchmarks/telling.py [--files 600] [--rounds 3] [--workers 2]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from aramega.config import Config
from aramega.engine.local import LocalEngine
from aramega.monitor.progress import ProgressReporter
from aramega.monitor.progress_file import write_progress
from aramega.monitor.prometheus import serving, write_metrics
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.records import BuildProgress
from aramega.sources import find_sources
from aramega.store import Store
from aramega.workspace import WorkspaceFolder

KINDS = ("nothing told", "progress.json", "and metrics")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        make_files(archive, options.files)
        runs: dict[str, list[Cost]] = {kind: [] for kind in KINDS}
        for number in range(options.rounds):
            for kind in KINDS:
                root = Path(folder) / f"{kind} {number}"
                runs[kind].append(timed_build(archive, WorkspaceFolder(root), kind, options.workers))
    print(f"{options.files} files, {3 * options.files} items, best of {options.rounds}\n")
    print("| told | seconds | ratio | CPU of telling | share | a look | an item |\n|---|---|---|---|---|---|---|")
    peer = min(cost.seconds for cost in runs[KINDS[0]])
    for kind in KINDS:
        best = min(runs[kind], key=lambda cost: cost.seconds)
        telling = best.looks.seconds + best.notes.seconds
        shown = f"{1000 * telling:.1f} ms | {100 * telling / best.seconds:.2f} %"
        each = f"{1000 * best.looks.mean():.2f} ms | {1e6 * best.notes.seconds / (3 * options.files):.0f} µs"
        print(f"| {kind} | {best.seconds:.2f} | {best.seconds / peer:.3f} | {shown} | {each} |")


def make_files(archive: Path, number: int) -> None:
    """One second of different noise each."""
    archive.mkdir()
    rng = np.random.default_rng(0)
    for i in range(number):
        soundfile.write(archive / f"{i}.wav", rng.normal(0, 0.1, 16_000).astype(np.float32), 16_000)


def timed_build(archive: Path, place: WorkspaceFolder, kind: str, workers: int) -> Cost:
    """What one build took."""
    config, engine, looks, notes = Config(), LocalEngine(workers), Clock(), Clock()
    pipeline = Pipeline.from_config(config, place)
    with ExitStack() as stack:
        if kind == KINDS[2]:
            stack.enter_context(serving(place, "0"))
        stack.enter_context(building(place))
        store = stack.enter_context(Store.create_or_open(place))
        add_sources(store, pipeline, [str(archive)], find_sources([str(archive)], config.ingest.extensions))
        listeners: list[Callable[[BuildProgress], None]] = [partial(write_progress, place)]
        if kind == KINDS[2]:
            listeners.append(write_metrics(place, place.root / "a.prom"))
        begun = time.perf_counter()
        if kind == KINDS[0]:
            for _ in run_build(store, pipeline, engine):
                pass
        else:
            reporter = ProgressReporter(store, pipeline, engine.name, listeners, print)
            with looks:
                reporter.__enter__()
            for news in run_build(store, pipeline, engine):
                with notes:
                    reporter.note(news)
                if not news:
                    with looks:
                        reporter.look(engine.statuses())
            with looks:
                reporter.__exit__(None, None, None)
        return Cost(time.perf_counter() - begun, looks, notes)


class Clock:
    """Adds up this process's CPU time inside its blocks."""

    seconds, times = 0.0, 0

    def mean(self) -> float:
        return self.seconds / max(1, self.times)

    def __enter__(self) -> None:
        self._begun = time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.process_time() - self._begun
        self.times += 1


@dataclass
class Cost:
    """Of one build: seconds on the wall, and the driver's CPU time in telling."""

    seconds: float
    looks: Clock
    notes: Clock


if __name__ == "__main__":
    main()
