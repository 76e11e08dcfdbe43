"""Docs run: every `aramega` command in the README and the guides works, in order, as written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from aramega.cli import app

ROOT = Path(__file__).parent.parent.parent
PAGES = (
    "README.md",
    "docs/browse.md",
    "docs/curate.md",
)  # docs/export.md and docs/fine-tune.md have tests of their own


def commands(page: str) -> list[str]:
    """The lines of its console blocks that start with aramega; `make` and `pip` lines are CI's own to run."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("aramega ")]


def named_commands(text: str) -> set[str]:
    """Each `aramega X` or `aramega X Y` in code: a line of a block, or between backquotes, in a table as well."""
    block_lines = [line for block in re.findall(r"```\w+\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    spans = [*re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)), *block_lines]
    return {
        name
        for span in spans
        for name in re.findall(r"(?:^|[ \"(|;&])aramega ((?:review )?[a-z][a-z-]*)(?![\w/.])", span)
    }


def existing_commands() -> set[str]:
    top: Any = typer.main.get_command(app)
    below = {f"{name} {sub}" for name, group in top.commands.items() for sub in getattr(group, "commands", ())}
    return set(top.commands) | below


PROSE = [
    *ROOT.glob("*.md"),
    *(p for folder in ("docs", "annotation", "benchmarks") for p in ROOT.glob(f"{folder}/*.md")),
]
TEXTS = [*PROSE, *ROOT.glob("hub_cards/*"), *ROOT.glob("aramega/**/*.py"), *ROOT.glob("benchmarks/*.py")]


def test_every_command_named_anywhere_exists() -> None:
    """In tables, in sentences and in what aramega itself says; not only in the blocks that are run."""
    existing = existing_commands()
    wrong = {
        str(path.relative_to(ROOT)): names
        for path in TEXTS
        if (names := named_commands(path.read_text(encoding="utf-8")) - existing)
    }
    assert wrong == {}


def test_a_command_that_does_not_exist_is_noticed_in_a_table() -> None:
    assert named_commands("| `aramega push` (800 a second) | 22 min |") == {"push"}
    assert named_commands("Run `aramega review pull news` then.") == {"review pull"}
    assert named_commands("```console\naramega review stat news\n```") == {"review stat"}


def run_commands(page: str, folder: Path) -> None:
    """Run them in their order; each must end well."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in commands(page):
        done = subprocess.run(
            shlex.split(line), cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_works(page: str, tmp_path: Path, short_broadcast: Path) -> None:
    assert commands(page), f"{page} shows no command"
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "news.wav").write_bytes(short_broadcast.read_bytes())
    run_commands(page, tmp_path)


@pytest.mark.parametrize("page", [str(p.relative_to(ROOT)) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]])
def test_every_link_inside_the_project_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)]+)\)", text) if "://" not in t]
    assert not [t for t in targets if t and not ((ROOT / page).parent / t).exists()]
