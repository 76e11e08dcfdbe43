"""How much the driver of a build asks of its database: SQL statements, and CPU, for each item and stage.

Builds the sample broadcast, several times over (each copy differs in a byte, so each is a recording of its own), with
the demo's recognizer and picked summaries. Counted are the statements that SQLite starts on the workspace's database
in the driver, as its trace callback tells, while the plan gives out tasks and writes what came of them; a statement
that writes many rows counts once a row, so an item that makes hundreds of segments has hundreds.

    python benchmarks/statements.py --recordings 4 --workers 1
    PYTHONPATH=OLDER_CHECKOUT python benchmarks/statements.py     # the same of another version
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aramega.cli import run

PACKAGE = Path(__import__("aramega").__file__).parent


class Meter:
    """Adds up statements and CPU seconds by stage."""

    def __init__(self) -> None:
        self.asked = 0
        self.statements: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self.items: Counter[str] = Counter()

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = _connect(*arguments, **options)
        if "aramega.db" in str(arguments[0]):
            connection.set_trace_callback(self._count)
        return connection

    def _count(self, _: str) -> None:
        self.asked += 1

    def around(self, work: Callable[..., Any], stages_of: Callable[..., Counter[str]]) -> Callable[..., Any]:
        """`work`, with what it asks shared out over the stages it was done for."""

        def metered(plan: Any, *arguments: Any) -> Any:
            asked, begun = self.asked, time.thread_time()
            answer = work(plan, *arguments)
            spent, asked = time.thread_time() - begun, self.asked - asked
            stages = stages_of(plan, answer, *arguments)
            for stage, number in stages.items():
                self.statements[stage] += asked * number / stages.total()  # type: ignore[assignment]
                self.cpu[stage] += spent * number / stages.total()  # type: ignore[assignment]
            if not stages:
                self.statements["between"] += asked
                self.cpu["between"] += spent  # type: ignore[assignment]
            return answer

        return metered


_connect = sqlite3.connect


def name_of(plan: Any, stage: str | int) -> str:
    """Older plans know stages by their position."""
    return plan.stages[stage].name if isinstance(stage, int) else stage


def meter_plan(meter: Meter) -> None:
    """Have every plan's work counted."""
    try:
        from aramega.pipeline.plan import Plan
    except ImportError:
        from aramega.plan import Plan  # type: ignore[import-not-found,no-redef]

    def given(plan: Any, task: Any, *_: Any) -> Counter[str]:
        return Counter() if task is None else Counter([name_of(plan, task.stage)])

    def answered(plan: Any, _: Any, answers: Any) -> Counter[str]:
        stages = Counter(name_of(plan, answer.stage) for answer in answers)
        meter.items.update(stages)
        return stages

    Plan.next_task = meter.around(Plan.next_task, given)  # type: ignore[method-assign]
    Plan.write = meter.around(Plan.write, answered)  # type: ignore[method-assign]


def sample() -> bytes:
    [broadcast] = PACKAGE.rglob("broadcast.mp3")
    return broadcast.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    meter = Meter()
    sqlite3.connect = meter.connect  # type: ignore[assignment]
    meter_plan(meter)
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder, "audio")
        audio.mkdir()
        for number in range(options.recordings):
            (audio / f"{number}.mp3").write_bytes(sample() + bytes([number]))
        toy = ("--set", "transcribe.model=demo", "--set", "transcribe.pack=false", "--workers", str(options.workers))
        began, wall = time.process_time(), time.monotonic()
        code = run(["build-ssum", str(audio), "--workspace", f"{folder}/news", "--quiet", *toy])
        took, wall = time.process_time() - began, time.monotonic() - wall
    assert code == 0, code
    print("| stage | items | statements an item | driver's CPU an item, ms |\n|---|---|---|---|")
    for stage, items in meter.items.items():
        asked, cpu = meter.statements[stage] / items, 1000 * meter.cpu[stage] / items
        print(f"| {stage} | {items} | {asked:.1f} | {cpu:.2f} |")
    items, cpu = meter.items.total(), sum(meter.cpu.values())
    print(f"| all | {items} | {sum(meter.statements.values()) / items:.1f} | {1000 * cpu / items:.2f} |")
    print(f"\n{PACKAGE}: {wall:.1f} s, the driver's whole CPU {took:.1f} s")


if __name__ == "__main__":
    main()
