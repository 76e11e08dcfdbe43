"""Worker processes: how one is started, and how it ends with its driver.

Forking takes milliseconds and shares what is imported; but a fork copies only the thread that calls it, and a lock that
another thread holds at that moment stays locked in the copy for ever. So a driver with other threads (a notebook, a
server), or on a system that does not fork well, starts each worker as a new Python, about half a second each.

It is started by a command of our own and not by multiprocessing's `spawn`, which imports the caller's script again: a
script without `if __name__ == "__main__"` would begin its build once more in every worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

from aramega.errors import AramegaError
from aramega.stages.base import Stage

START: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")

Serve = Callable[[Connection, Sequence[Stage[Any]], int], None]
"""A worker's life: its end of the pipe, its stages, and its driver's process."""


class Process(Protocol):
    @property
    def exitcode(self) -> int | None: ...

    def kill(self) -> None: ...

    def join(self) -> None: ...


def start_worker(serve: Serve, stages: Sequence[Stage[Any]]) -> tuple[Process, Connection]:
    """Start a worker process; the process, and our end of the pipe to it."""
    if may_fork():
        ours, theirs = START.Pipe()
        process = START.Process(target=serve, args=(theirs, stages, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        return process, ours
    return _start_python(serve, stages)


def may_fork() -> bool:
    """Whether a fork of this process is a sound copy of it."""
    return sys.platform == "linux" and threading.active_count() == 1


def check_importable(stages: Sequence[Stage[Any]]) -> None:
    """Raise for a stage that a new Python could not load: one that is written in a notebook or in the script itself."""
    for stage in stages:
        if type(stage).__module__ == "__main__" and not may_fork():
            raise AramegaError(
                f"stage {stage.name}: worker processes can't import {type(stage).__name__} from a notebook or from the "
                "script that runs. Put it into a module of its own, or build with the inline engine."
            )


class _Python:
    """A worker that is a new Python."""

    def __init__(self, command: Sequence[str], pipe: Connection) -> None:
        self._process = subprocess.Popen(command, pass_fds=[pipe.fileno()], stdin=subprocess.DEVNULL)

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()

    def join(self) -> None:
        self._process.wait()


def _start_python(serve: Serve, stages: Sequence[Stage[Any]]) -> tuple[Process, Connection]:
    ours, theirs = multiprocessing.Pipe()
    begin = (
        f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import begin; "
        f"begin({serve.__module__!r}, {serve.__qualname__!r}, {theirs.fileno()}, {os.getpid()})"
    )
    process = _Python([sys.executable, "-c", begin], theirs)
    theirs.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        ours.send(list(stages))  # a worker that died at its start is noticed when its answer is waited for
    return process, ours


def begin(module: str, serve: str, pipe: int, driver: int) -> None:
    """Where a new Python begins its life as a worker."""
    connection: Connection = Connection(pipe)
    getattr(sys.modules.get(module) or __import__(module, fromlist=["_"]), serve)(connection, connection.recv(), driver)


def belong_to(driver: int) -> None:
    """Make this process the driver's: Ctrl-C is the driver's to handle, and when the driver is killed, the kernel ends
    this one, so that a new build finds no strays."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != driver:
        os._exit(1)
