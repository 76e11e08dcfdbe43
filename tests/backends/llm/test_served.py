"""A real server of chat models, `transformers serve`, asked by the real `openai` client."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aramega.backends.llm import troubles
from aramega.backends.llm.journal import spent_so_far
from aramega.config.summarize import SummarizeConfig
from aramega.records import NotNow
from aramega.stages.summarize import Summarize
from aramega.workspace import WorkspaceFolder
from tests.stages.test_summarize import a_passage_that_says

pytest.importorskip("fastapi", reason="transformers serve needs transformers[serving]")


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    backend: str


@pytest.fixture(scope="module")
def served(chat_model: Path) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [str(Path(sys.executable).with_name("transformers")), "serve", str(chat_model)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    line = [*program, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield Served(process, f"openai:{chat_model}@http://127.0.0.1:{port}/v1")
    finally:
        process.kill()
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended by itself"
            time.sleep(0.2)  # it has no other way to say that it is ready


def prepared(served: Served, folder: Path, **options: int) -> Summarize:
    stage = Summarize(SummarizeConfig(backend=served.backend, concurrency=4, **options), WorkspaceFolder(folder))
    stage.check()
    stage.prepare()
    return stage


def test_passages_are_summarized_and_their_tokens_counted_as_the_server_counts_them(
    served: Served, tmp_path: Path
) -> None:
    made = list(prepared(served, tmp_path).run_batch([a_passage_that_says(f"الخبر رقم {i}") for i in range(6)]))
    summaries = [one[0] for one in made if not isinstance(one, Exception)]
    assert [summary.text for summary in summaries] == ["افتتحت الوزارة ثلاثة مستشفيات."] * 6
    assert {summary.completion_tokens for summary in summaries} == {2}
    assert all(summary.prompt_tokens > 1000 for summary in summaries)
    assert spent_so_far(tmp_path / "answers.db").tokens == sum(s.prompt_tokens + 2 for s in summaries)


def test_a_server_killed_in_the_middle_leaves_the_rest_for_later(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles, "FIRST_WAIT", 0.01)
    stage = prepared(served, tmp_path, retries=1)
    items = [a_passage_that_says(f"الخبر رقم {i}") for i in range(4)]
    before = list(stage.run_batch(items[:2]))
    served.process.send_signal(signal.SIGKILL)
    served.process.wait()
    after = list(stage.run_batch(items))
    assert after[:2] == before, "what was answered is known"
    assert all(isinstance(one, NotNow) and "no connection to" in str(one) for one in after[2:])
