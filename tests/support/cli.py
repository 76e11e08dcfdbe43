"""The command line for tests: in this process, or in one of its own.

`run_cli` calls what `aramega` calls, here: starting Python and importing anew is most of what a short command costs.
Its output is taken from the file descriptors, so that what workers and libraries write is in it too; the folder, the
environment, signals, warnings and logging are as in a new process, and afterwards as they were.

Commands that fork workers get a process of their own: a fork of this one, where other tests have left threads of
torch, tqdm or a server's client, may hang for ever on a lock that one of them held.

`run_process` starts a process. Take it where a test is about signals, imports or how a process ends, or where
libraries read the environment when they are imported (HF_ENDPOINT).
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import FileIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from aramega.cli import run
from aramega.cli.exit_codes import FAILED


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


FORKING = {"build", "build-ssum", "demo"}


def run_cli(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Said:
    if arguments and str(arguments[0]) in FORKING:
        return run_process(*arguments, cwd=cwd, env=env)
    with TemporaryFile() as out, TemporaryFile() as err:
        with _as_a_new_process(cwd, env), _written_to(out, err):
            code = _run(list(map(str, arguments)))
        return Said(code, _text(out), _text(err))


def run_process(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Said:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, env=env, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def command(*arguments: str | Path) -> list[str]:
    """The argument list that starts aramega with this very Python."""
    return [sys.executable, "-m", "aramega", *map(str, arguments)]


def _run(arguments: list[str]) -> int:
    """The exit code; a bug's is what Python gives it."""
    try:
        return run(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0
    except Exception:  # noqa: BLE001
        traceback.print_exc()
        return FAILED


@contextmanager
def _as_a_new_process(cwd: Path | None, env: dict[str, str] | None) -> Iterator[None]:
    """What a command may change or depend on, as Python sets it up, and afterwards as it was."""
    environment, folder = dict(os.environ), Path.cwd()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    root = logging.getLogger()
    logged, root.handlers = root.handlers, []
    with warnings.catch_warnings():
        _warn_as_python_does()
        try:
            if env is not None:
                os.environ.clear()
                os.environ.update(env)
            os.chdir(cwd or folder)
            yield
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            root.handlers = logged
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _warn_as_python_does() -> None:
    """pytest keeps warnings to itself; a curator sees them."""

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object) -> None:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))

    warnings.showwarning = show  # type: ignore[assignment]
    warnings.resetwarnings()
    for hidden in (ResourceWarning, ImportWarning, PendingDeprecationWarning, DeprecationWarning):
        warnings.simplefilter("ignore", hidden)


@contextmanager
def _written_to(out: IO[bytes], err: IO[bytes]) -> Iterator[None]:
    """Standard output and error, of this process and those it starts, into files."""
    with ExitStack() as stack:
        for number, name, file in ((1, "stdout", out), (2, "stderr", err)):
            before = getattr(sys, name)
            before.flush()
            stack.callback(_put_back, number, os.dup(number), name, before)
            os.dup2(file.fileno(), number)
            stream = TextIOWrapper(FileIO(number, "w", closefd=False), "utf-8", "backslashreplace", write_through=True)
            setattr(sys, name, stream)
        yield


def _put_back(number: int, kept: int, name: str, before: IO[str]) -> None:
    getattr(sys, name).flush()
    os.dup2(kept, number)
    os.close(kept)
    setattr(sys, name, before)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
