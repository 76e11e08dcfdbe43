"""How long `status` and `report` take on a workspace of a million segments.

Makes a store with made-up records (no sound, so the sample has no players), then times both against the
plain way: reading every segment and passage row into Python with the sqlite3 module and counting there.

    python benchmarks/large_workspace.py [--segments 1000000] [--recordings 5000]
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aramega.config import Config
from aramega.monitor.status import render_status, status
from aramega.pipeline import Pipeline
from aramega.records import (
    Measures,
    Metadata,
    Passage,
    Recording,
    Segment,
    Source,
    Span,
    Timeline,
    recording_id,
    stretch_id,
)
from aramega.report import write_report
from aramega.store import Broken, Finished, Store
from aramega.store.results import write_outcomes
from aramega.store.sources import note_sources
from aramega.workspace import WorkspaceFolder
from tests.support.database import connection_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--recordings", type=int, default=5_000)
    parser.add_argument("--keep", type=Path, help="Make the workspace here and leave it.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = WorkspaceFolder(options.keep or Path(folder))
        if not workspace.database.exists():
            with Store.create_or_open(workspace) as store:
                fill(store, workspace, options.recordings, options.segments // options.recordings)
        measure(workspace)


def measure(workspace: WorkspaceFolder) -> None:
    config = Config()
    rows = []
    with Store.open(workspace) as store:
        segments = connection_of(store).execute("SELECT count(*) FROM segments").fetchone()[0]
        before = resident_mb()
        now = [timed(lambda: render_status(status(store, Pipeline.from_config(config, workspace)))) for _ in range(5)]
        rows.append(("status", statistics.median(now)))
        rows.append(("report", timed(lambda: write_report(store, Pipeline.from_config(config, workspace)))))
        grown = resident_mb() - before
        plain = timed(lambda: count_in_python(store))
    print(
        f"{segments:,} segments; report.html {workspace.report.stat().st_size / 1e6:.2f} MB; peak memory +{grown:.0f} MB"
    )
    print(f"{'':24}{'seconds':>9}{'of plain':>10}")
    for name, took in [*rows, ("every row into Python", plain)]:
        print(f"{name:24}{took:9.3f}{took / plain:10.3f}")


def timed(work: object) -> float:
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begun


def resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def count_in_python(store: Store) -> float:
    rows = connection_of(store).execute("SELECT * FROM segments").fetchall()
    rows += connection_of(store).execute("SELECT * FROM passages").fetchall()
    lengths = sorted(row["end"] - row["start"] for row in rows)
    return lengths[len(lengths) // 2]


def fill(store: Store, workspace: WorkspaceFolder, recordings: int, segments: int) -> None:
    pipeline = Pipeline.from_config(Config(), workspace)
    stages, marks = pipeline.stages, list(pipeline.marks.values())
    rng = random.Random(1)
    paths = [f"/archive/{i % 40:02d}/نشرة {i:06d}.mp3" for i in range(recordings)]
    described = (Metadata(title=f"نشرة المساء {i}", channel="تجربة") for i in range(recordings))
    note_sources(store, ((Source(p, known), 1, 1) for p, known in zip(paths, described, strict=True)))
    batch: list[Finished | Broken] = []
    for i, path in enumerate(paths):
        if i % 500 == 499:
            batch.append(Broken(marks[0], path, f"no audio stream (found: {i % 3} video). Give a file with sound."))
            continue
        for mark, stage, item, records in zip(marks, stages, *invent(i, path, segments, rng), strict=True):
            batch.append(Finished(mark, item, stage.makes, records, 1.0))
        if len(batch) > 300:
            write_outcomes(store, batch)
            batch = []
    write_outcomes(store, batch)


def invent(i: int, path: str, count: int, rng: random.Random) -> Iterator[tuple[object, ...]]:
    """The items and the records of the three stages for one recording."""
    number = recording_id(f"{i:064d}"[::-1])
    spans, segments, passages, now = [], [], [], 0.0
    while len(segments) < count:
        if rng.random() < 0.03:
            spans.append(Span(now, now := round(now + rng.uniform(2, 20), 3), "music"))
        begin, now = now, round(now + min(30.0, rng.lognormvariate(1.7, 0.6)), 3)
        spans.append(Span(begin, now, "speech"))
        snr, loud = round(rng.gauss(22, 7), 2), round(rng.gauss(-23, 3), 2)
        segments.append(
            Segment(
                stretch_id(number, begin, now),
                number,
                begin,
                now,
                False,
                False,
                snr,
                loud,
                round(rng.triangular(3000, 8000, 7600)),
            )
        )
        spans.append(Span(now, now := round(now + rng.expovariate(2), 3), "silence"))
    for at in range(0, count - 8, 9):
        run = segments[at : at + 8]
        place = stretch_id(number, run[0].start, run[-1].end)
        speech = sum(s.seconds for s in run)
        clip = f"clips/{number[:2]}/{number}/{place}.flac"
        ids = tuple(s.id for s in run)
        passages.append(
            Passage(
                place,
                number,
                run[0].start,
                run[-1].end,
                ids,
                speech,
                clip,
                "0" * 64,
                run[0].snr_db,
                run[0].loudness_lufs,
                7000.0,
            )
        )
    measures = Measures(round(rng.gauss(-23, 2), 2), -0.5, rng.random() / 1000, 7600.0, 0.0)
    recording = Recording(number, f"{i:064d}"[::-1], Path(path).name, 1, now, "mp3", "mp3", 44100, 2, 0, measures)
    yield (path, number, number)
    yield ([recording], [Timeline(number, tuple(spans)), *segments], passages)


if __name__ == "__main__":
    main()
