"""Commands that are killed with SIGKILL, at an exact place: in processes forked from this one, which costs no start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from aramega.cli import run
from aramega.store import Broken, Finished, Store
from tests.support.cli import run_cli

Moment = Literal["before", "after"]
_FORK: Any = multiprocessing.get_context("fork")


def killed_at_result(number: int, moment: Moment, *arguments: str | Path, stage: str = "") -> bool:
    """Run a command line whose process is killed right before or after it commits the nth batch of results (of
    `stage`, if one is named); whether it came so far. One that did not has ended well."""
    process = _FORK.Process(target=_run_until, args=(number, moment, arguments, stage))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), f"exit code {process.exitcode}"
    return bool(process.exitcode)


def _run_until(number: int, moment: Moment, arguments: Sequence[str | Path], stage: str) -> None:
    write, batches = Store.write, 0

    def write_or_die(store: Store, outcomes: Sequence[Finished | Broken]) -> None:
        nonlocal batches
        batches += not stage or any(outcome.mark.stage == stage for outcome in outcomes)
        if moment == "before" and batches == number:
            os.kill(os.getpid(), signal.SIGKILL)
        write(store, outcomes)
        if moment == "after" and batches == number:
            os.kill(os.getpid(), signal.SIGKILL)

    Store.write = write_or_die  # type: ignore[method-assign]
    os._exit(run_cli(*arguments).code)


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
