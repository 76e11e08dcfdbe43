"""Whole builds that ask an endpoint: killed, out of budget, turned away, and gone on with."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aramega.cli.exit_codes import COME_BACK_LATER
from tests.support.chat_server import SUMMARY, ChatServer, Refusal, chat_server
from tests.support.cli import Run, command, run_cli
from tests.support.recordings import cut

KILLS = 3  # benchmarks/llm.py does twenty
KEY = "my-secret-key-1"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, broadcast: Path) -> Path:
    """Four different recordings with subtitles beside them: a line every four seconds, none like another."""
    folder = tmp_path_factory.mktemp("archive")
    for i in range(4):
        cut(broadcast, i * 20, 120, folder / f"{i}.mp3")
        lines = [{"start": t, "end": t + 3.8, "text": f"الخبر رقم {t} من النشرة رقم {i}"} for t in range(0, 120, 4)]
        (folder / f"{i}.json").write_text(json.dumps({"segments": lines}, ensure_ascii=False), encoding="utf-8")
    return folder


def build(archive: Path, workspace: Path, server: ChatServer, *more: str) -> list[str | Path]:
    asked = ("--asr-model", "subtitles", "--summarizer", f"openai:m@{server.url}", "--set", "summarize.concurrency=4")
    return ["build-ssum", archive, "-w", workspace, "--quiet", *asked, *more]


def summaries(workspace: Path) -> list[tuple[Any, ...]]:
    query = "SELECT passage, text, title, topics, model, prompt_tokens, requests FROM summaries ORDER BY passage"
    return sqlite3.connect(workspace / "aramega.db").execute(query).fetchall()


def count(workspace: Path, table: str, stage: str = "summarize") -> int:
    query = f"SELECT count(*) FROM {table} WHERE stage = ?"
    return int(sqlite3.connect(workspace / "aramega.db").execute(query, (stage,)).fetchone()[0])


def test_a_build_killed_at_random_moments_ends_like_a_calm_one_and_pays_no_more(archive: Path, tmp_path: Path) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    with chat_server(lambda messages: SUMMARY, usage=(400, 60)) as server:
        assert run_cli(*build(archive, calm, server)).code == 0
        wanted = len(set(server.idempotency_keys))
    rng = random.Random(3)
    with chat_server(lambda messages: SUMMARY, usage=(400, 60), latency=0.3) as server:
        for _ in range(KILLS):
            wanted_requests = len(server.requests) + rng.randint(1, 3)
            quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            with subprocess.Popen(command(*build(archive, stormy, server)), **quiet) as run:
                while len(server.requests) < wanted_requests:
                    assert run.poll() is None, "it was done before it was killed"
                    time.sleep(0.01)
                run.kill()
        assert run_cli(*build(archive, stormy, server)).code == 0
        asked = Counter(server.idempotency_keys)
    assert summaries(stormy) == summaries(calm)
    assert len(asked) == wanted
    assert sum(asked.values()) - wanted <= KILLS * 4, "only what was under way is asked again, under its old key"
    spent = "SELECT requests, prompt_tokens, completion_tokens FROM spent"
    for workspace in (calm, stormy):
        told = sqlite3.connect(workspace / "answers.db").execute(spent).fetchone()
        assert told == (wanted, 400 * wanted, 60 * wanted)


def test_a_budget_stops_the_summaries_and_nothing_else_and_a_larger_one_goes_on(
    aramega: Run, archive: Path, tmp_path: Path
) -> None:
    with chat_server(lambda messages: SUMMARY, usage=(700, 60)) as server:
        poor = run_cli(*build(archive, tmp_path, server, "--max-tokens-total", "4000"))
        done = count(tmp_path, "results")
        assert poor.code == COME_BACK_LATER
        assert "the budget of 4,000 tokens is used up" in poor.err
        assert 1 <= done <= 5
        assert count(tmp_path, "failures") == 0
        assert count(tmp_path, "results", "transcribe") > done
        told = aramega("build-ssum", "-w", tmp_path, "--dry-run")
        assert "requests" in told.out
        rich = run_cli(*build(archive, tmp_path, server, "--max-tokens-total", "100000"))
        assert rich.code == 0
        assert len(server.requests) == count(tmp_path, "results") == count(tmp_path, "results", "transcribe")


def test_a_refused_key_is_said_once_and_shown_nowhere(archive: Path, tmp_path: Path) -> None:
    with chat_server(lambda messages: SUMMARY, key="another") as server:
        environment = {**os.environ, "OPENAI_API_KEY": KEY}
        refused = run_cli(*build(archive, tmp_path, server), env=environment)
    assert refused.code == COME_BACK_LATER
    assert refused.err.count("refused the key in $OPENAI_API_KEY") == 1
    assert KEY not in refused.out + refused.err
    assert count(tmp_path, "failures") == 0
    assert not any(KEY.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_passage_the_model_fails_at_is_tried_again_only_when_asked_to(archive: Path, tmp_path: Path) -> None:
    moods = ["Sorry."]
    with chat_server(lambda messages: SUMMARY if not moods else moods[0]) as server:
        line = build(archive / "0.mp3", tmp_path, server)
        assert run_cli(*line).code == 3
        failed, asked = count(tmp_path, "failures"), len(server.requests)
        assert asked == 2 * failed > 0
        moods.clear()
        assert run_cli(*line).code == 3
        assert len(server.requests) == asked
        assert run_cli(*line, "--retry-failed").code == 0
        assert len(server.requests) == asked + failed
        assert count(tmp_path, "results") == failed


def test_a_passage_that_the_server_will_not_take_costs_only_itself(archive: Path, tmp_path: Path) -> None:
    def refuse(body: dict[str, Any]) -> Refusal | None:
        said = body["messages"][-1]["content"]
        return Refusal(400, "This model's maximum context length is 10 tokens.") if "النشرة رقم 3" in said else None

    with chat_server(lambda messages: SUMMARY, refuse=refuse) as server:
        done = run_cli(*build(archive, tmp_path, server))
    assert done.code == 3
    failures = sqlite3.connect(tmp_path / "aramega.db").execute("SELECT error FROM failures").fetchall()
    assert failures
    assert all("did not take the request (400: This model's maximum context length" in error for (error,) in failures)
    assert count(tmp_path, "results") + len(failures) == count(tmp_path, "results", "transcribe")
