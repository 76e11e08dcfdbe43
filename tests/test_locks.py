"""Locks: one holder at a time, known to others, and gone with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aramega.locks import hold, holder_of, wait_and_hold

HOLD = """
import os, sys
from pathlib import Path
from aramega.locks import hold
with hold(Path(sys.argv[1]), lambda _: SystemExit("busy")):
    if len(sys.argv) > 2 and os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    print("held", flush=True)
    sys.stdin.read()
"""


class Busy(Exception):
    pass


def busy(holder: int | None) -> Busy:
    return Busy(holder)


@contextmanager
def held_elsewhere(lock: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-c", HOLD, str(lock), *more]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process


def test_who_comes_second_learns_who_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with held_elsewhere(lock) as process:
        assert holder_of(lock) == process.pid
        with pytest.raises(Busy) as refused, hold(lock, busy):
            pass
        assert refused.value.args == (process.pid,)
        assert holder_of(lock) == process.pid
    assert holder_of(lock) is None
    with hold(lock, busy):
        assert holder_of(lock) == os.getpid()


def test_a_killed_holder_leaves_a_file_that_blocks_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with held_elsewhere(lock) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert lock.read_text() == str(process.pid)
    assert holder_of(lock) is None
    with hold(lock, busy):
        pass


def test_a_forked_worker_that_outlives_its_holder_does_not_hold_it(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with held_elsewhere(lock, "and fork") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with hold(lock, busy):  # the child still reads its standard input
            pass


def test_opening_and_closing_the_file_elsewhere_does_not_give_it_back(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with hold(lock, busy):
        assert lock.read_text() == str(os.getpid())
        assert holder_of(lock) == os.getpid()
        seen = subprocess.run(
            [sys.executable, "-c", HOLD, str(lock)],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
    assert "busy" in seen.stderr


def test_two_threads_exclude_each_other(tmp_path: Path) -> None:
    lock, order = tmp_path / "copy.lock", list[str]()

    def second() -> None:
        with wait_and_hold(lock):
            order.append("second")

    with wait_and_hold(lock):
        thread = threading.Thread(target=second)
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_many_who_ask_keep_nobody_out(tmp_path: Path) -> None:
    lock, done = tmp_path / "build.lock", threading.Event()
    lock.touch()

    def ask() -> None:
        while not done.is_set():
            holder_of(lock)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            with hold(lock, busy):
                assert holder_of(lock) == os.getpid()
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_a_file_that_says_nothing_or_nonsense_is_a_lock_like_any_other(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    assert holder_of(lock) is None
    for leftover in ("", "عشرة", "12 "):
        lock.write_text(leftover)
        assert holder_of(lock) is None
        with hold(lock, busy):
            assert holder_of(lock) == os.getpid()
