"""The inline engine, and what starts a worker where there are other threads: the same answers without a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from aramega.config import Config, Options
from aramega.engine import Answer, Done, Engine, Failed, Task
from aramega.engine.inline import InlineEngine
from aramega.engine.local import LocalEngine
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.sources import find_sources
from aramega.stages.base import Stage, Takes
from aramega.store import Store
from aramega.workspace import WorkspaceFolder
from tests.maintenance.looking import timeless


class Where(Stage[int]):
    """Says in which process and from how many threads it runs."""

    name, version, takes, makes = "where", 1, Takes.SOURCE, (int,)

    def run(self, item: int) -> list[Any]:
        if item == 13:
            raise ValueError("unlucky")
        return [os.getpid(), os.getppid()]


def answers(engine: Engine, folder: Path, numbers: range) -> list[Answer]:
    queue = deque(numbers)

    def next_task(_: Collection[str]) -> Task | None:
        return Task("where", (str(n := queue.popleft()),), (n,)) if queue else None

    stages = [Where(Options(), WorkspaceFolder(folder))]
    return [answer for batch in engine.run(stages, next_task) for answer in batch]


@contextmanager
def another_thread() -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_an_inline_worker_is_this_process_and_one_bad_item_stops_nothing(tmp_path: Path) -> None:
    *good, bad = answers(InlineEngine(), tmp_path, range(11, 14))
    assert [answer.records[0] for answer in good if isinstance(answer, Done)] == [os.getpid()] * 2
    assert isinstance(bad, Failed)
    assert bad.error == "ValueError: unlucky"


def test_beside_other_threads_a_worker_is_a_new_python_and_still_the_drivers_child(tmp_path: Path) -> None:
    with another_thread():
        done = [answer for answer in answers(LocalEngine(2), tmp_path, range(4)) if isinstance(answer, Done)]
    assert {answer.records[1] for answer in done} == {os.getpid()}
    assert os.getpid() not in {answer.records[0] for answer in done}
    for answer in done:
        assert not Path(f"/proc/{answer.records[0]}").exists(), "no worker outlives its build"


SCRIPT = """
import sys, threading
sys.path[:] = {path!r}
from pathlib import Path
from tests.engine.test_inline import LocalEngine, answers
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(len(answers(LocalEngine(1), Path({folder!r}), range(3))))
"""


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    """multiprocessing's spawn would import it again in every worker."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(path=sys.path, folder=str(tmp_path)))
    done = subprocess.run([sys.executable, str(script)], check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_a_stage_of_a_notebook_is_refused_by_workers_that_cannot_import_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Where, "__module__", "__main__")
    with another_thread(), pytest.raises(Exception, match=r"where: .* can't import Where .* inline engine"):
        answers(LocalEngine(1), tmp_path, range(1))


def test_inline_and_in_new_pythons_a_build_makes_the_same(tmp_path: Path, short_broadcast: Path) -> None:
    made = {}
    for name, engine in (("forked", LocalEngine(1)), ("inline", InlineEngine()), ("new", LocalEngine(1))):
        workspace = WorkspaceFolder(tmp_path / name)
        pipeline = Pipeline.from_config(Config(), workspace)
        names = [str(short_broadcast)]
        threads = another_thread() if name == "new" else nullcontext()
        with threads, building(workspace), Store.create_or_open(workspace) as store:
            add_sources(store, pipeline, names, find_sources(names, (".mp3", ".wav")))
            for _ in run_build(store, pipeline, engine):
                pass
        made[name] = timeless(workspace.root)
    assert made["inline"] == made["forked"]
    assert made["new"] == made["forked"]
    assert made["inline"]["segments"]
