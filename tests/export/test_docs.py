"""docs/export.md, run as it stands on the small workspace. Its `sh` block needs NeMo and is not run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from aramega.cli import run
from aramega.export import FORMATS
from aramega.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(console|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_command_and_snippet_of_the_page_runs(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, text in BLOCKS:
        if kind == "console":
            assert run(shlex.split(text)[1:]) == 0
        else:
            exec(compile(text, "docs/export.md", "exec"), {})
        assert capsys.readouterr().out, f"says nothing: {text}"


def test_the_page_shows_every_format() -> None:
    commands = " ".join(text for kind, text in BLOCKS if kind == "console")
    assert set(re.findall(r"--format (\w+)", commands)) == set(FORMATS)
