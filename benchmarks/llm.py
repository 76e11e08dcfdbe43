"""The summarize stage against a server on the loopback that takes 200 ms an answer.

First the time of one passage: one request at a time, sixteen at a time, and, for what journal, budget and checks
cost, the bare `openai` client with sixteen at a time. Then a build killed by SIGKILL at random moments and run again:
the server notes the idempotency key of every request it begins to answer, which is when vendors begin to bill.
What was under way at a kill is asked again under its old key; anything else asked twice would be paid twice.

    python benchmarks/llm.py [--passages 1024] [--rounds 3] [--kills 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aramega.backends.llm.endpoint import Endpoint
from aramega.config.summarize import SummarizeConfig
from aramega.records import DraftedPassage
from aramega.stages.summarize import ROUNDS_A_TASK, load_rules, summarize_passage
from tests.stages.test_summarize import a_passage_that_says
from tests.support.drafts import SENTENCES

AT_ONCE = 16
LATENCY = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--passages", type=int, default=1024, help="for sixteen at a time; a twentieth of them one by one"
    )
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worker", nargs=3, metavar=("URL", "FOLDER", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        url, folder, count = options.worker
        summarize(url, Path(folder), passages(int(count)), AT_ONCE)
        return
    items = passages(options.passages)
    with tempfile.TemporaryDirectory() as folder:
        print_speed(Path(folder), items, options.rounds)
        sound = print_kills(Path(folder), options.kills, random.Random(options.seed))
    sys.exit(not sound)


def print_speed(folder: Path, items: Sequence[DraftedPassage], rounds: int) -> None:
    """The best of some rounds for each, as other work on the machine comes and goes."""
    few = items[: max(1, len(items) // 20)]
    found: list[tuple[float, float, float]] = []
    for i in range(rounds):
        with server(folder / f"bill-{i}") as url:
            sequential = summarize(url, folder / f"one-{i}", few, 1) / len(few)
            bare = asyncio.run(ask_bare(url, len(items))) / len(items)
            found.append((sequential, bare, summarize(url, folder / f"many-{i}", items, AT_ONCE) / len(items)))
    sequential, bare, ours = (min(times) for times in zip(*found, strict=True))
    print(f"| {LATENCY * 1000:.0f} ms latency, best of {rounds} | passages | ms a passage | times sequential |")
    print("|---|---|---|---|")
    print(f"| summarize, one at a time | {len(few)} | {sequential * 1000:.1f} | 1.0 |")
    print(
        f"| the bare openai client, {AT_ONCE} at a time | {len(items)} | {bare * 1000:.1f} | {sequential / bare:.1f} |"
    )
    print(f"| summarize, {AT_ONCE} at a time | {len(items)} | {ours * 1000:.1f} | {sequential / ours:.1f} |")


def print_kills(folder: Path, kills: int, rng: random.Random) -> bool:
    """Whether nothing was lost and nothing but what was under way was asked twice."""
    bill, workspace, count = folder / "stormy-bill", folder / "stormy", kills * 40
    bill.touch()
    with server(bill) as url:
        line = [sys.executable, __file__, "--worker", url, str(workspace), str(count)]
        for _ in range(kills):
            wanted = lines_of(bill) + rng.randint(1, 39)
            run = subprocess.Popen(line)
            while lines_of(bill) < wanted:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, LATENCY))  # between two answers, or at one
            assert run.poll() is None
            run.send_signal(signal.SIGKILL)
            run.wait()
        subprocess.run(line, check=True)
    asked = Counter(bill.read_text().split())
    journal = sqlite3.connect(workspace / "answers.db")
    answers = journal.execute("SELECT count(DISTINCT asked) FROM answers").fetchone()[0]
    counted = journal.execute("SELECT requests FROM spent").fetchone()[0]
    again, other = sum(asked.values()) - len(asked), len(asked) - count
    print()
    print("| kills | passages | lost | asked, by the server's count | again, under the same key | under another key |")
    print("|---|---|---|---|---|---|")
    print(f"| {kills} | {count} | {count - answers} | {sum(asked.values())} | {again} | {other} |")
    print(
        f"\nUnder way at the kills: {kills} x {AT_ONCE} = {kills * AT_ONCE} at most. Counted as spent: {counted} requests."
    )
    return answers == count == counted and other == 0 and again <= kills * AT_ONCE


def lines_of(bill: Path) -> int:
    return bill.read_text().count("\n")


def passages(count: int) -> list[DraftedPassage]:
    """So many different passages of six lines."""
    return [a_passage_that_says(*SENTENCES, f"هذا هو الخبر رقم {i} من النشرة") for i in range(count)]


def summarize(url: str, folder: Path, items: Sequence[DraftedPassage], at_once: int) -> float:
    """The seconds it takes, task by task as a build gives them, without the start."""
    options = SummarizeConfig(backend=f"openai:m@{url}", concurrency=at_once)
    rules, model = load_rules(options), Endpoint(options, folder / "answers.db")
    model.load()
    with closing(model):
        begun = time.perf_counter()
        for start in range(0, len(items), at_once * ROUNDS_A_TASK):
            task = items[start : start + at_once * ROUNDS_A_TASK]
            made = model.hold([summarize_passage(item, rules) for item in task])
            assert not any(isinstance(one, Exception) for one in made), made
        return time.perf_counter() - begun


async def ask_bare(url: str, count: int) -> float:
    import openai

    places = asyncio.Semaphore(AT_ONCE)
    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

        async def ask(number: int) -> None:
            async with places:
                await client.chat.completions.create(model="m", messages=[{"role": "user", "content": f"{number}"}])

        begun = time.perf_counter()
        await asyncio.gather(*(ask(number) for number in range(count)))
        return time.perf_counter() - begun


@contextmanager
def server(bill: Path) -> Iterator[str]:
    """A chat server in a process of its own; gives its address."""
    line = [sys.executable, "-m", "tests.support.chat_server", "--latency", str(LATENCY), "--bill", str(bill)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parent.parent)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
