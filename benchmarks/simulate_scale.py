"""What 20,000, 100,000 and a million hours take on a cluster: simulated from measured stage times.

    python benchmarks/simulate_scale.py                      # the tables, from stage_times.json
    python benchmarks/simulate_scale.py --into docs/scale-out.md
    python benchmarks/simulate_scale.py --measure [--files 6 --minutes 4]   # measure anew on this machine

`--measure` builds made-up broadcasts with the demo checkpoint and extractive summaries, keeps what each stage
took an hour of recording, what the driver took an item (on Ray, its own CPU time for sending and receiving with it), and what lies in the workspace then, and holds the
simulation against the very builds it was measured on, with one worker and with two. Seconds that are kept are a
core's: where others use the machine, too, the clock's are taken down to the CPU time that was really had.

Measured is all but what the `Assumed` below say: how fast a GPU transcribes is a published figure and not
ours, and prices, an LLM's speed and people's are assumptions. Each can be changed: --set gpu_price=1.2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from simulation import Run, Work, simulate

KEPT = Path(__file__).with_name("stage_times.json")


@dataclass(frozen=True)
class Assumed:
    """What was not measured here, and where it is from."""

    gpu_speed: float = 91.8
    """Hours of sound a GPU transcribes an hour: large-v3 on an A100 80 GB, fp16 in batches of 24 with Flash Attention 2,
    150 min in 98 s (README of Vaibhavs10/insanely-fast-whisper). Published, not measured by us."""
    window_share: float = 0.82
    """Of a 30 s window that packed passages fill: 7.0 min in 17 windows (drafting.py)."""
    gpu_price: float = 2.0
    """Dollars an hour; assumed."""
    core_price: float = 0.05
    """Dollars an hour of a core; assumed."""
    answer_seconds: float = 2.0
    """An LLM's, for a summary; assumed."""
    tokens_in: float = 900
    tokens_out: float = 150
    """Of a summary; assumed, as `--dry-run` would estimate for a minute of speech."""
    price_in: float = 0.15
    price_out: float = 0.6
    """Dollars a million tokens; assumed, the prices docs/drafts.md has for an example."""
    hour_of_review: float = 4.0
    """Hours a person needs for an hour of passages; assumed."""
    mean_hours: float = 0.75
    """Of a recording; lengths are log-normal about it, from a minute to ten hours."""


@dataclass(frozen=True)
class Scenario:
    hours: float
    gpus: int
    workers: int
    concurrency: int
    """LLM requests at a time."""


SCENARIOS = (
    Scenario(20_000, 8, 8, 64),
    Scenario(100_000, 32, 32, 128),
    Scenario(1_000_000, 64, 64, 256),
)
SAMPLE_HOURS = 20_000.0
"""Longer archives are simulated by so many hours of them: what happens is the same again and again."""
BATCHES = {"transcribe": 8, "summarize": 16, "label": 16, "check": 64}
"""Items a task; of summaries, for each request at a time."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="Measure on this machine, and keep it.")
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help="One of the assumptions.")
    parser.add_argument("--into", type=Path, help="Put the tables into this page, between its marks.")
    options = parser.parse_args()
    assumed = dataclasses.replace(Assumed(), **{k: float(v) for k, _, v in (s.partition("=") for s in options.set)})
    if options.measure:
        measured = measure(options.files, options.minutes, options.rounds)
        KEPT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    measured = json.loads(KEPT.read_text(encoding="utf-8"))
    tables = make_tables(measured, assumed)
    for name, table in tables.items():
        print(f"{name}:\n\n{table}\n")
    if options.into:
        options.into.write_text(put(tables, options.into.read_text(encoding="utf-8")), encoding="utf-8")


def make_tables(measured: Mapping[str, Any], assumed: Assumed) -> dict[str, str]:
    """What the page shows, by name."""
    runs = [(scenario, *run_scenario(scenario, measured, assumed)) for scenario in SCENARIOS]
    made = {
        "rates": rates(measured, assumed),
        "time and money": time_and_money(runs, measured, assumed),
        "the driver": driver_limit(measured, assumed),
        "sizes": sizes(measured, assumed),
    }
    return {name: "\n".join(lines) for name, lines in made.items()}


def works(measured: Mapping[str, Any], assumed: Assumed, concurrency: int) -> list[Work]:
    """The stages of a build with a Whisper on GPUs and a language model behind an endpoint."""
    spoken = measured["passage_hours_an_hour"]
    outside = {
        "transcribe": ("gpu", spoken * 3600 / assumed.gpu_speed / assumed.window_share),
        "summarize": ("llm", measured["passages_an_hour"] * assumed.answer_seconds / concurrency),
    }
    made = []
    for name, driver in measured["driver_seconds_an_item"].items():
        crew, seconds = outside.get(name, ("", measured["seconds_an_hour"][name]))
        batch = BATCHES.get(name, 1) * (concurrency if crew == "llm" else 1)
        made.append(Work(name, seconds, driver, batch, name in BATCHES, crew))
    return made


def lengths(hours: float, mean: float, seed: int = 7) -> list[float]:
    """Recordings of together `hours`, log-normal with a long tail, as archives are."""
    rng, found, total = random.Random(seed), [], 0.0
    while total < hours:
        one = min(10.0, max(1 / 60, rng.lognormvariate(0.0, 0.8) * mean / 1.377))  # 1.377 is its mean
        found.append(min(one, hours - total))
        total += one
    return found


def run_scenario(scenario: Scenario, measured: Mapping[str, Any], assumed: Assumed) -> tuple[Run, dict[str, float]]:
    """A sample of the scenario's hours on all its workers; and how busy each crew and the driver were."""
    chain = works(measured, assumed, scenario.concurrency)
    crews = {"": scenario.workers, "gpu": scenario.gpus, "llm": 1}
    run = simulate(
        lengths(min(scenario.hours, SAMPLE_HOURS), assumed.mean_hours),
        chain,
        crews,
        passages_an_hour=measured["passages_an_hour"],
        look=measured["look_seconds_a_worker"],
    )
    return run, run.used(chain, crews)


WORDS = {"": "shared workers", "gpu": "GPUs", "llm": "the LLM", "driver": "the driver"}


def time_and_money(
    runs: Sequence[tuple[Scenario, Run, dict[str, float]]], measured: Mapping[str, Any], assumed: Assumed
) -> Iterator[str]:
    yield "| hours | on | takes | GPU-hours | dollars: GPUs, cores, LLM | cents an hour | clips a second | held up by |"
    yield "|---|---|---|---|---|---|---|---|"
    for s, run, used in runs:
        share = min(s.hours, SAMPLE_HOURS) / s.hours
        wall = run.wall / 3600 / share
        money = (
            wall * s.gpus * assumed.gpu_price,
            wall * s.workers * assumed.core_price,
            s.hours * measured["passages_an_hour"] * llm_price(assumed),
        )
        most = max(used, key=used.__getitem__)
        others = ", ".join(f"{WORDS[crew]} {share:.0%}" for crew, share in used.items() if crew != most)
        yield (
            f"| {s.hours:,.0f} | {s.gpus} GPUs, {s.workers} workers, {s.concurrency:,} requests | {span(wall)} "
            f"| {wall * s.gpus:,.0f} | {money[0]:,.0f} + {money[1]:,.0f} + {money[2]:,.0f} "
            f"| {100 * sum(money) / s.hours:.1f} | {run.done['check'] / run.wall:.0f} "
            f"| {WORDS[most]}, {used[most]:.0%} busy ({others}) |"
        )


def rates(measured: Mapping[str, Any], assumed: Assumed) -> Iterator[str]:
    """What one of each does in an hour."""
    chain = works(measured, assumed, 1)
    shared = sum(w.seconds_an_hour for w in chain if not w.crew)
    gpu = sum(w.seconds_an_hour for w in chain if w.crew == "gpu")
    driver = driver_seconds(measured)
    summary = llm_price(assumed) * measured["passages_an_hour"]
    yield "| what | seconds for an hour of sound | hours of sound an hour | hours of sound a dollar |"
    yield "|---|---|---|---|"
    yield f"| a shared worker, all its stages | {shared:.2f} | {3600 / shared:,.0f} | {3600 / shared / assumed.core_price:,.0f} |"
    yield f"| a GPU | {gpu:.1f} | {3600 / gpu:,.0f} | {3600 / gpu / assumed.gpu_price:,.0f} |"
    yield f"| an LLM, a request at a time | {measured['passages_an_hour'] * assumed.answer_seconds:.0f} | {3600 / measured['passages_an_hour'] / assumed.answer_seconds:,.0f} | {1 / summary:,.0f} |"
    yield f"| the driver, of which there is one | {driver:.3f} | {3600 / driver:,.0f} | |"


def driver_limit(measured: Mapping[str, Any], assumed: Assumed) -> Iterator[str]:
    """More and more GPUs, with as many workers and four requests each, until the driver cannot follow."""
    yield "| GPUs | shared workers | hours of sound an hour | of what so many GPUs could | driver busy |"
    yield "|---|---|---|---|---|"
    alone = 0.0
    for gpus in (8, 32, 64, 128, 256, 512):
        s = Scenario(10_000.0, gpus, gpus, 4 * gpus)
        run, used = run_scenario(s, measured, assumed)
        pace = s.hours / run.wall * 3600
        alone = alone or pace / gpus
        yield f"| {gpus} | {s.workers} | {pace:,.0f} | {pace / gpus / alone:.0%} | {used['driver']:.0%} |"


def sizes(measured: Mapping[str, Any], assumed: Assumed) -> Iterator[str]:
    """What lies where afterwards, and who has what to do; each per hour of recording, times the hours."""
    hour = {**measured["bytes_an_hour"]}
    passages, spoken = measured["passages_an_hour"], measured["passage_hours_an_hour"]
    columns = [s.hours for s in SCENARIOS]
    rows: list[tuple[str, Any, Any]] = [
        ("`aramega.db`", hour["database"], size),
        ("clips (FLAC, 16 kHz)", hour["clips"], size),
        ("clips, files", passages, count),
        ("frames", hour["frames"], size),
        ("the judge's memory (2.4 kB a passage, duplicates.py)", passages * 2400, size),
        ("Label Studio tasks, if all are reviewed", passages, count),
        ("projects of 100,000 tasks", passages / 100_000, lambda n: f"{n:,.0f}" if n >= 1 else "1"),
        ("people's hours, if all are reviewed", spoken * assumed.hour_of_review, count),
        ("Hub: parquet", hour["clips"], size),
        ("Hub: files of 500 MB", hour["clips"] / 500e6, count),
        ("`aramega review push` (800 tasks a second, review.py)", passages / 800 / 3600, span),
        ("`aramega publish` (4.2 h a second, publish.py)", 1 / 4.2 / 3600, span),
    ]
    yield "| | " + " | ".join(f"{c:,.0f} h" for c in (1, *columns)) + " |"
    yield "|---|---|" + "---|" * len(columns)
    for name, one, show in rows:
        told = [show(one) if show is size or one >= 1 else "", *(show(one * c) for c in columns)]
        yield f"| {name} | " + " | ".join(told) + " |"


def put(tables: Mapping[str, str], page: str) -> str:
    """The page with each table between its marks, `<!-- table: NAME -->` and `<!-- end -->`."""
    for name, table in tables.items():
        head, mark, rest = page.partition(f"<!-- table: {name} -->\n")
        if mark:
            page = head + mark + table + "\n<!-- end -->" + rest.partition("<!-- end -->")[2]
    return page


def driver_seconds(measured: Mapping[str, Any]) -> float:
    """The driver's, for an hour of sound."""
    items = dict.fromkeys(BATCHES, measured["passages_an_hour"])
    recordings = 1 / Assumed().mean_hours
    return sum(s * items.get(name, recordings) for name, s in measured["driver_seconds_an_item"].items())


def llm_price(assumed: Assumed) -> float:
    return (assumed.tokens_in * assumed.price_in + assumed.tokens_out * assumed.price_out) / 1e6


def span(hours: float) -> str:
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:,.1f} h" if hours >= 1 else f"{hours * 60:,.0f} min"


def size(number: float) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number:.0f} B"


def count(number: float) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 1e6 else f"{number:,.0f}"


def measure(files: int, minutes: float, rounds: int) -> dict[str, Any]:
    """Builds on this machine, and the simulation held against them."""
    from scale import Setting, make_archive, run_apart

    with tempfile.TemporaryDirectory() as folder:
        archive = make_archive(Path(folder), files, minutes)
        plain = {
            n: min(
                (run_apart(archive, Path(folder) / f"{n}-{i}", Setting("local", n), False, 0) for i in range(rounds)),
                key=lambda told: told["whole"],
            )
            for n in (1, 2)
        }
        drafted = run_apart(archive, Path(folder) / "drafted", Setting("ray", 1), True, 0)
        sending = drafted["engine"] / sum(drafted["items"].values())
        undisturbed = min(1.0, drafted["driver_cpu"] / drafted["driver"])
        hours = files * minutes / 60
        measured = {
            "measured": f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {files} made-up broadcasts of {minutes:g} min",
            "seconds_an_hour": {
                name: round(took / hours, 4)
                for name, took in {**core_seconds(drafted), **core_seconds(plain[1])}.items()
            },
            "driver_seconds_an_item": {
                name: round(drafted["drivers"][name] * undisturbed / number + sending, 6)
                for name, number in drafted["items"].items()
            },
            "look_seconds_a_worker": look_seconds(),
            **contents(Path(folder) / "drafted", hours),
        }
    compare([minutes / 60] * files, plain)
    return measured


def core_seconds(told: Mapping[str, Any]) -> dict[str, float]:
    """By stage, what its workers would have taken with a core each to themselves."""
    had = (told["cpu"] - told["driver_cpu"] - told["engine"]) / sum(told["stages"].values())
    return {name: took * min(1.0, had) for name, took in told["stages"].items()}


def compare(hours: Sequence[float], plain: Mapping[int, Mapping[str, Any]]) -> None:
    """Simulated against measured, for the builds of this very run."""
    print("| build | measured | simulated | ratio |\n|---|---|---|---|")
    total = sum(hours)
    for workers, told in plain.items():
        for whose in sorted({1, workers}):
            chain = [
                Work(name, took / total, plain[whose]["drivers"][name] / plain[whose]["items"][name])
                for name, took in plain[whose]["stages"].items()
            ]
            run = simulate(hours, chain, {"": workers})
            print(
                f"| {workers} worker(s), stage times of {whose} | {told['whole']:.2f} s | {run.wall:.2f} s "
                f"| {run.wall / told['whole']:.2f} |"
            )
    print()


def contents(root: Path, hours: float) -> dict[str, Any]:
    """What a workspace holds an hour; an empty database's own pages are not counted."""
    import sqlite3

    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    connection = sqlite3.connect(root / "aramega.db")
    connection.execute("VACUUM")
    [(passages, seconds)] = connection.execute('SELECT count(*), sum("end" - start) FROM passages').fetchall()
    connection.close()
    with tempfile.TemporaryDirectory() as folder:
        with Store.create_or_open(WorkspaceFolder(Path(folder))):
            pass
        empty = WorkspaceFolder(Path(folder)).database.stat().st_size
    held = {
        name: sum(p.stat().st_size for p in (root / name).rglob("*") if p.is_file()) for name in ("clips", "frames")
    }
    held["database"] = (root / "aramega.db").stat().st_size - empty
    return {
        "passages_an_hour": round(passages / hours, 2),
        "passage_hours_an_hour": round(seconds / 3600 / hours, 4),
        "bytes_an_hour": {name: round(number / hours) for name, number in held.items()},
    }


def look_seconds(workers: int = 200, looks: int = 50) -> float:
    """What Ray's `wait` takes for each answer that is still to come."""
    import asyncio

    import ray

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)  # never somebody else's

    @ray.remote(max_concurrency=1000)
    class Slow:
        async def answer(self) -> None:
            await asyncio.sleep(600)

    slow = Slow.remote()
    answers = [slow.answer.remote() for _ in range(workers)]
    ray.wait(answers, timeout=2)
    began = time.perf_counter()
    for _ in range(looks):
        ray.wait(answers, num_returns=workers, timeout=0)
    took = time.perf_counter() - began
    ray.kill(slow)
    ray.shutdown()
    return round(took / looks / workers * 2, 9)  # the engine looks twice


if __name__ == "__main__":
    main()
