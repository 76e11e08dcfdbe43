"""Fuzzing: thousands of broken files, each answered with a clear line or with records that hold together.

    python -m tests.chaos.fuzz --audio 20000 --text 20000 --workers 2 [--seed N]
    python -m tests.chaos.fuzz --only wav:1234

Mutants go in chunks to processes of their own, which are watched from outside: one that dies, takes over a minute
for a mutant, grows, writes outside its folder or opens a socket is a violation, too. A mutant is made from its
number alone, so that `--only` does again what a long run has found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from tests.chaos.judges import SoundJudge, Verdict, Violated
from tests.chaos.mutations import FORMATS, make_sound
from tests.chaos.originals import Originals, make_originals
from tests.chaos.readings import exported_tasks, make_reader
from tests.chaos.tallies import Peak, counted, show, tally
from tests.chaos.writings import WRITINGS, make_writing
from tests.support.drafts import drafted_workspace

LIMIT = 60.0
"""Seconds a mutant may take; most take a tenth of one, on a machine that has nothing else to do."""
CHUNK = 200
LARGEST_WORKER, LARGEST_DECODER = 400, 1000
"""Megabytes more than the process had when it began."""

_OURS, _OUR_CHILDREN = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
_START: Any = multiprocessing.get_context("fork")


@dataclass
class Chunk:
    """Mutants of one kind for one process, and the process while there is one."""

    kind: str
    left: deque[int]
    alone: bool = False
    """A second chance for one that was too slow, when nothing else runs."""
    process: Any = None
    pipe: Connection | None = None
    since: float = 0.0


def fuzz(chunks: Iterable[Chunk], workers: int, originals: Originals, folder: Path) -> Iterator[Verdict | Peak]:
    """Judge all mutants; yields verdicts and how large the processes grew, as they come."""
    waiting, running, slow = deque(chunks), list[Chunk](), deque[Chunk]()
    while waiting or running or slow:
        while len(running) < workers and waiting:
            running.append(_begin(waiting.popleft(), originals, folder))
        if not running:
            running.append(_begin(slow.popleft(), originals, folder))
        wait_for([chunk.pipe for chunk in running], timeout=0.5)
        for chunk in list(running):
            yield from _listen(chunk, running, slow)
            if chunk in running and time.monotonic() - chunk.since > LIMIT:
                _kill(chunk)
                running.remove(chunk)
                number = chunk.left.popleft()
                if chunk.alone:
                    yield Verdict(f"{chunk.kind}:{number}", violation="took too long, twice", seconds=LIMIT)
                else:
                    slow.append(Chunk(chunk.kind, deque([number]), alone=True))
                if chunk.left:
                    waiting.append(Chunk(chunk.kind, chunk.left))


def _begin(chunk: Chunk, originals: Originals, folder: Path) -> Chunk:
    chunk.pipe, theirs = _START.Pipe(duplex=False)
    chunk.process = _START.Process(target=_work, args=(theirs, chunk.kind, list(chunk.left), originals, folder))
    chunk.process.start()
    theirs.close()
    chunk.since = time.monotonic()
    return chunk


def _listen(chunk: Chunk, running: list[Chunk], slow: deque[Chunk]) -> Iterator[Verdict | Peak]:
    """What the chunk's process has to say; a dead one's mutant is a violation."""
    assert chunk.pipe
    try:
        while chunk.pipe.poll():
            said = chunk.pipe.recv()
            chunk.since = time.monotonic()
            if isinstance(said, Verdict):
                chunk.left.popleft()
            yield said
    except (EOFError, ConnectionResetError):
        chunk.process.join()
        running.remove(chunk)
        if chunk.left and chunk.process.exitcode != 0:
            number = chunk.left.popleft()
            yield Verdict(f"{chunk.kind}:{number}", violation=f"its worker died (exit code {chunk.process.exitcode})")
        if chunk.left:
            slow.append(Chunk(chunk.kind, chunk.left))


def _kill(chunk: Chunk) -> None:
    """The process and the decoder it waits for."""
    pid = chunk.process.pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
    chunk.process.kill()
    chunk.process.join()


def _work(pipe: Connection, kind: str, numbers: Sequence[int], originals: Originals, folder: Path) -> None:
    """A process's life: judge these mutants one after the other; stop early, in good order, once it has grown."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        os.chdir(own)
        warnings.simplefilter("error")  # a warning on a curator's terminal is a puzzle
        trespasses = watch(Path(own))
        judge, before = make_judge(kind, Path(own), originals), _peak(kind)
        for number in numbers:
            begun = time.monotonic()
            verdict = judged(f"{kind}:{number}", lambda n=number: judge(n))
            trespassed, grown = "; ".join(trespasses), _growth(before, _peak(kind))
            trespasses.clear()
            wrong = verdict.violation or trespassed or grown
            pipe.send(replace(verdict, violation=wrong, seconds=time.monotonic() - begun))
            if grown:
                break
        pipe.send(_peak(kind))


def judged(mutant: str, judge: Callable[[], str]) -> Verdict:
    """The verdict on one mutant; whatever is raised but an answer of ours is a violation."""
    try:
        return Verdict(mutant, reason=judge())
    except Violated as wrong:
        return Verdict(mutant, violation=str(wrong))
    except Exception:  # noqa: BLE001  whatever else it is, the next mutant gets its turn
        return Verdict(mutant, violation=traceback.format_exc())


def make_judge(kind: str, folder: Path, originals: Originals) -> Callable[[int], str]:
    """Makes and judges mutant N of a kind."""
    if kind in WRITINGS:
        return make_reader(kind, folder)
    sounds = SoundJudge(folder)
    return lambda number: sounds.judge(f"{number}.{kind}", make_sound(kind, number, originals))


def make_mutant(kind: str, number: int, originals: Originals, folder: Path) -> bytes:
    """Mutant N of a kind, to be looked at."""
    if kind in WRITINGS:
        return make_writing(kind, number, exported_tasks(drafted_workspace(folder / "of-export", clips=False)))
    return make_sound(kind, number, originals)


def _peak(kind: str) -> Peak:
    worker, decoder = (resource.getrusage(who).ru_maxrss // 1024 for who in (_OURS, _OUR_CHILDREN))
    return Peak(kind, worker, decoder)


def _growth(before: Peak, now: Peak) -> str:
    """A complaint, if it is too much. A child counts for no less than the process it was started from."""
    fine = now.worker - before.worker <= LARGEST_WORKER and now.decoder - now.worker <= LARGEST_DECODER
    return "" if fine else f"grew from {before.worker} to {now.worker} MB, its decoder to {now.decoder} MB"


def watch(folder: Path) -> list[str]:
    """From now on, note whenever this process writes outside `folder`, opens a connection or runs a stranger."""
    noted: list[str] = []
    inside = (str(folder.resolve()) + os.sep, "/dev/null", "/dev/shm/", "/proc/")
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "os.system", "ctypes.dlopen"):
            noted.append(f"{event} {details!r}")
        elif event == "subprocess.Popen" and Path(str(details[0])).name not in ("ffmpeg", "ffprobe"):
            noted.append(f"ran {details[0]}")
        elif (event == "open" and int(details[2] or 0) & writing) or event in (
            "os.remove",
            "os.rename",
            "os.mkdir",
            "os.rmdir",
            "os.link",
            "os.symlink",
            "os.truncate",
            "os.chmod",
        ):
            path = details[0]
            if isinstance(path, str | bytes | os.PathLike):
                absolute = os.path.abspath(os.fsdecode(path))
                if not f"{absolute}{os.sep}".startswith(inside):
                    noted.append(f"{event} {absolute}")

    sys.addaudithook(hook)
    return noted


def chunks_of(kinds: Sequence[str], count: int, seed: int, size: int = CHUNK) -> list[Chunk]:
    """`count` mutants in all, spread over the kinds, numbered from `seed`; kinds take turns."""
    numbers = {kind: range(seed, seed + len(range(i, count, len(kinds)))) for i, kind in enumerate(kinds)}
    made = [Chunk(kind, deque(own[at : at + size])) for kind, own in numbers.items() for at in range(0, len(own), size)]
    return sorted(made, key=lambda chunk: chunk.left[0])


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--audio", type=int, default=0, help="mutated sound files")
    asked.add_argument("--text", type=int, default=0, help="mutated manifests, configurations and exports")
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--seed", type=int, default=0, help="number of the first mutant of each kind")
    asked.add_argument("--only", metavar="KIND:NUMBER", help="this one mutant")
    asked.add_argument("--keep", type=Path, metavar="FOLDER", help="with --only: leave the mutant there")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="aramega-fuzz-") as folder:
        originals = make_originals(Path(folder)) if told.audio or told.only else {}
        if told.only:
            kind, _, number = told.only.partition(":")
            if told.keep:
                told.keep.mkdir(parents=True, exist_ok=True)
                mutant = make_mutant(kind, int(number), originals, Path(folder))
                (told.keep / f"{number}.{kind}").write_bytes(mutant)
            chunks = [Chunk(kind, deque([int(number)]))]
        else:
            chunks = chunks_of(FORMATS, told.audio, told.seed) + chunks_of(WRITINGS, told.text, told.seed)
        begun = time.monotonic()
        tallies = tally(
            counted(fuzz(chunks, told.workers, originals, Path(folder)), begun),
            tell=lambda verdict: print(f"VIOLATION {verdict.mutant}: {verdict.violation}", flush=True),
        )
        print(f"\n{sum(t.mutants for t in tallies.values()):,} mutants in {time.monotonic() - begun:.0f} s")
        print(show(tallies))
    return 1 if any(one.violations for one in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
