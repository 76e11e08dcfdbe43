"""The same work on the local engine, on Ray, and on a Ray cluster of two nodes: as fast, and the same results?

    python benchmarks/scale.py [--files 20] [--minutes 6] [--rounds 3] [--draft] [--only local/1 ray/1]

Each run is a process of its own, on a workspace of its own; runs take turns, and the best of the rounds
counts. The clock starts when every worker has rehearsed (a 20 s recording of its own, from end to end: see
rehearsed.py) and stops at the last commit: what it takes to start Ray, its actors and the models is not in
it, and is told beside. Every worker keeps to one thread. "Two nodes" are two raylets of one CPU each on the
loopback, the second joined to the first; "cores" is the CPU time of all processes over the time: where it
exceeds the machine's cores less what others use, the machine was the limit and not the engine.

Rows and files of all runs are compared with the first one's. Exit code 1 if any differ or a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from broadcasts import encode, make_recording
from rehearsed import ONE_THREAD, timed_build

from aramega.config import Config, choose_config
from aramega.engine import Engine
from tests.maintenance.looking import timeless
from tests.support.clusters import loopback_cluster


@dataclass(frozen=True)
class Setting:
    """One way to run the same work."""

    engine: str
    workers: int
    nodes: int = 1
    range_minutes: float = 0
    """Recordings of twice this and more are shared among the workers; 0: none is."""

    @property
    def name(self) -> str:
        where = f"{self.engine}/{self.workers}" if self.nodes == 1 else f"{self.engine}/{self.nodes} nodes"
        return where + (" in ranges" if self.range_minutes else "")


SETTINGS = [
    Setting("local", 1),
    Setting("ray", 1),
    Setting("local", 2),
    Setting("ray", 2),
    Setting("ray", 2, nodes=2),
    Setting("local", 2, range_minutes=1),
    Setting("ray", 2, nodes=2, range_minutes=1),
]

BARS = (  # a run, the one it is held against, the ratio of their times, and whether it must be at most or at least that
    ("ray/1", "local/1", "at most", 1.25),
    ("ray/2", "local/2", "at most", 1.25),
    ("ray/1", "ray/2 nodes", "at least", 1.7),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draft", action="store_true", help="Transcribe with the demo checkpoint and summarize, too.")
    parser.add_argument("--only", nargs="*", default=[s.name for s in SETTINGS], help="Names as in the table.")
    options = parser.parse_args()
    chosen = [s for s in SETTINGS if s.name in options.only]
    print(f"{options.files} recordings of {options.minutes:g} min, {os.cpu_count()} cores, best of {options.rounds}\n")
    with tempfile.TemporaryDirectory() as folder:
        archive = make_archive(Path(folder), options.files, options.minutes)
        best: dict[str, dict[str, Any]] = {}
        for turn in range(options.rounds):
            for setting in chosen:
                told = run_apart(archive, Path(folder) / setting.name.replace(" ", "-"), setting, options.draft, turn)
                if setting.name not in best or told["whole"] < best[setting.name]["whole"]:
                    best[setting.name] = told
        difference = first_difference(Path(folder), [s.name.replace(" ", "-") for s in chosen])
    show_times(best)
    met = show_bars({name: told["whole"] for name, told in best.items()})
    print(f"\nrows and files: {difference or f'identical in all {len(chosen)}'}")
    sys.exit(bool(difference) or not met)


def make_archive(folder: Path, files: int, minutes: float) -> Path:
    """Recordings that are different from their first sample on, so that none is another's twin."""
    archive = folder / "archive"
    archive.mkdir()
    wav = make_recording(folder, minutes + files * 0.5 / 60)
    for i in range(files):
        cut = ["-ss", f"{i * 0.5:g}", "-t", f"{minutes * 60:g}", "-ar", "44100", "-ac", "2", "-b:a", "128k"]
        encode(wav, archive / f"{i:03d}.mp3", *cut)
    encode(wav, folder / "sample.mp3", "-t", "40")
    return archive


def run_apart(archive: Path, root: Path, setting: Setting, draft: bool, turn: int) -> dict[str, Any]:
    """One run in a process of its own; a workspace is kept from the first turn, to be compared."""
    draft_with = ["transcribe.model=demo", "transcribe.pack=false", "transcribe.threads=1"]
    changes = [f"ingest.range_minutes={setting.range_minutes:g}", *(draft_with if draft else [])]
    asked = {
        **vars(setting),
        "changes": changes,
        "archive": str(archive),
        "root": f"{root}" + (f".{turn}" if turn else ""),
    }
    paths = os.pathsep.join([str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)])
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": paths, "RAY_DEDUP_LOGS": "0"}
    code = "import json, sys; from scale import run_here; run_here(json.loads(sys.argv[1]))"
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(asked)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{setting.name}: {done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**told, "around": time.perf_counter() - began - told["whole"]}


def run_here(asked: dict[str, Any]) -> None:
    """The run itself; tells its times as JSON on the last line."""
    config = choose_config(None, Path("/nowhere"), asked["changes"])
    archive, root = Path(asked["archive"]), Path(asked["root"])
    with make_engine(asked["engine"], asked["workers"], asked["nodes"], config) as engine:
        times = timed_build(archive, root, config, engine, archive.parent / "sample.mp3")
    print(json.dumps(times.told()))


@contextmanager
def make_engine(name: str, workers: int, nodes: int, config: Config) -> Iterator[Engine]:
    from aramega.engine.local import LocalEngine
    from aramega.engine.ray import RayEngine

    if name == "local":
        yield LocalEngine(workers)
    elif nodes == 1:
        yield RayEngine(workers, config.engine)
    else:
        with loopback_cluster([workers // nodes] * nodes) as address:
            yield RayEngine(workers, config.engine, address)


def show_times(best: dict[str, dict[str, Any]]) -> None:
    print("| run | once started | driver's own | its engine's | cores | in stages | starting and stopping |")
    print("|---|---|---|---|---|---|---|")
    for name, told in best.items():
        whole, stages = told["whole"], sum(told["stages"].values())
        print(
            f"| {name} | {whole:.2f} s | {told['driver']:.2f} s | {told['engine']:.2f} s | {told['cpu'] / whole:.2f} | {stages:.2f} s "
            f"| {told['around']:.1f} s |"
        )


def show_bars(times: dict[str, float]) -> bool:
    """The ratios that matter, and whether all are as they should be."""
    met = True
    print("\n| run | against | ratio | bar | |\n|---|---|---|---|---|")
    for one, other, relation, bar in BARS:
        if one in times and other in times:
            ratio = times[one] / times[other]
            good = ratio <= bar if relation == "at most" else ratio >= bar
            met &= good
            print(f"| {one} | {other} | {ratio:.2f} | {relation} {bar} | {'met' if good else 'MISSED'} |")
    return met


def first_difference(folder: Path, names: Sequence[str]) -> str:
    """Where a workspace first differs from the first one; empty if none does."""
    first = timeless(folder / names[0])
    for name in names[1:]:
        other = timeless(folder / name)
        for key in sorted({*first, *other}):
            if first.get(key) != other.get(key):
                return f"DIFFERENT: {name} from {names[0]} in {key}: {_at_odds(first.get(key), other.get(key))}"
    return ""


def _at_odds(one: object, other: object) -> str:
    if not isinstance(one, list) or not isinstance(other, list):
        return f"{one!r:.200} and {other!r:.200}"
    gone, new = [r for r in one if r not in other], [r for r in other if r not in one]
    return f"{len(gone)} and {len(new)} rows of their own, first {gone[:1]!r:.300} and {new[:1]!r:.300}"


if __name__ == "__main__":
    main()
