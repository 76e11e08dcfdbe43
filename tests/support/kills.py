"""Builds killed at an exact result: forked from this process, which costs no start, and killed with SIGKILL."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

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
