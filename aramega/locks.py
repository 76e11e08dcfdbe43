"""Locks: one process at a time does a thing, and others can ask who does.

A lock is a file, locked by `flock` as long as its holder's block runs. The kernel gives it back however the process
ends, so a file that a killed process left blocks nobody. The file holds the holder's process id for people to read.

- The lock belongs to one opening of the file: opening and closing the file elsewhere, in the same process too, does not
  give it back (record locks, `lockf`, would vanish), and two threads exclude each other as two processes do.
- A forked child closes its copy at once: workers that outlive a killed build do not keep its workspace locked.
- Not filelock: it empties the file on each try, so that who is refused wipes out who holds it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

_TRIES = 5
_PAUSE = 0.02
"""Between two tries, in seconds: `holder_of` holds a lock for some microseconds to find that nobody does."""

_held: set[TextIOWrapper] = set()


@contextmanager
def hold(path: Path, busy: Callable[[int | None], Exception]) -> Iterator[None]:
    """Hold a lock, or raise what `busy` makes of the holder's process id (None if that is not known)."""
    with _opened(path) as file:
        for attempt in range(_TRIES):
            if _try_lock(file, fcntl.LOCK_EX):
                break
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE)
        else:
            raise busy(_read_holder(file)) from None
        _write_holder(file)
        yield


@contextmanager
def wait_and_hold(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for whoever holds it now."""
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _write_holder(file)
        yield


def holder_of(path: Path) -> int | None:
    """The id of the process that holds a lock; None if nobody does, 0 if its holder has not written an id.

    The holder notices nothing of it. Raises PermissionError where the file may not be read."""
    try:
        file = path.open(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    with file:
        return None if _try_lock(file, fcntl.LOCK_SH) else _read_holder(file) or 0


def is_running(pid: int) -> bool:
    """Whether this machine has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, and there
        return True
    return True


@contextmanager
def _opened(path: Path) -> Iterator[TextIOWrapper]:
    with path.open("a+", encoding="ascii", errors="replace") as file:
        _held.add(file)
        try:
            yield file
        finally:
            _held.discard(file)


def _try_lock(file: TextIOWrapper, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _write_holder(file: TextIOWrapper) -> None:
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def _read_holder(file: TextIOWrapper) -> int | None:
    file.seek(0)
    text = file.read().strip()
    return int(text) if text.isdecimal() else None


def _close_in_child() -> None:
    for file in _held:
        file.close()  # of a fork's copy: the parent's lock stays
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)
