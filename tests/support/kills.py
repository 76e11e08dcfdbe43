"""Commands that are killed with SIGKILL, at an exact place."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from aramega.cli import run
from aramega.pipeline import plan
from aramega.store import Broken, Finished, Store

Moment = Literal["before", "after"]
_FORK: Any = multiprocessing.get_context("fork")
ROOT = Path(__file__).parents[2]


def killed_at_result(number: int, moment: Moment, *arguments: str | Path, stage: str = "") -> bool:
    """Run a command line whose process is killed right before or after it commits the nth batch of results (of
    `stage`, if one is named); whether it came so far. One that did not has ended well.

    A new Python, since a build forks: a fork of this process, with other tests' threads, may hang."""
    program = [sys.executable, "-m", "tests.support.kills", str(number), moment, stage, *map(str, arguments)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return bool(done.returncode)


def _run_until(number: int, moment: str, stage: str, arguments: Sequence[str]) -> int:
    write, batches = plan.write_outcomes, 0

    def write_or_die(store: Store, outcomes: Sequence[Finished | Broken]) -> None:
        nonlocal batches
        batches += not stage or any(outcome.mark.stage == stage for outcome in outcomes)
        if moment == "before" and batches == number:
            os.kill(os.getpid(), signal.SIGKILL)
        write(store, outcomes)
        if moment == "after" and batches == number:
            os.kill(os.getpid(), signal.SIGKILL)

    plan.write_outcomes = write_or_die
    return run(arguments)


@contextmanager
def forked(*arguments: str | Path) -> Iterator[tuple[Any, IO[str]]]:
    """A command line in a process of its own, and what it says on standard error; killed at the block's end."""
    ours, theirs = os.pipe()
    process = _FORK.Process(target=_run_into, args=(theirs, arguments))
    process.start()
    os.close(theirs)
    try:
        with open(ours, encoding="utf-8") as errors:
            yield process, errors
    finally:
        process.kill()
        process.join()


def _run_into(errors: int, arguments: Sequence[str | Path]) -> None:
    os.dup2(errors, 2)
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115  for this process's life
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    code = run(list(map(str, arguments)))
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(_run_until(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
