"""docs/annotate.md runs: what needs no server as written, and of what does at least every option exists."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from tests.docs.test_docs import ROOT, commands, run_commands
from tests.support.cli import Run
from tests.support.drafts import drafted_workspace

PAGE = "docs/annotate.md"


def test_every_command_that_needs_no_server_works(tmp_path: Path) -> None:
    drafted_workspace(tmp_path / "news")
    assert len(commands(PAGE)) == 6
    run_commands(PAGE, tmp_path)
    assert (tmp_path / "for-label-studio" / "tasks-001.json").exists()


def test_every_option_it_names_exists(aramega: Run) -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`(aramega review [^`]+)`", text)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("aramega review")]
    assert len(lines) > 6
    split = [shlex.split(line)[2:] for line in lines]
    wide = {**os.environ, "COLUMNS": "200"}
    known = {name: aramega("review", name, "--help", env=wide).out for name in {words[0] for words in split}}
    for name, *rest in split:
        assert all(word in known[name] for word in rest if word.startswith("--")), (name, rest)
