"""Docs run: every `aramega` command in the README and the guides works, in order, as written."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from aramega import __version__
from aramega.cli import COMMANDS, SHORT_FORMS
from tests.support.cli import run_cli

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
        for name in re.findall(r"(?:^|[ \"(|;&])aramega (?!as\b)((?:review )?[a-z][a-z-]*)(?![\w/.])", span)
    }


def existing_commands() -> set[str]:
    return {entry.words for entry in COMMANDS} | set(SHORT_FORMS) | {"review"}


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


def everywhere() -> dict[str, str]:
    """Each text of the project that people read, by its path, with its lines joined."""
    readable = [*TEXTS, *ROOT.glob("recipes/**/*.md"), *ROOT.glob("recipes/**/*.py"), ROOT / "CITATION.cff"]
    return {str(p.relative_to(ROOT)): " ".join(p.read_text(encoding="utf-8").split()) for p in readable}


def test_whatever_is_to_be_installed_of_aramega_is_installed_from_its_clone() -> None:
    """By name, pip would take whatever somebody else has put on an index."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(project["project"]["optional-dependencies"])
    for path, text in everywhere().items():
        assert not re.findall(r"pip install (?:-\S+ )*['\"]?aramega\b", text), path
        for named in re.findall(r"pip install (?:-\S+ )*'\S*\[([\w,-]+)\]'", text):
            if "datasets[" not in text or named != "audio":
                assert set(named.split(",")) <= extras, f"{path}: {named}"


def test_the_paper_is_named_as_it_is_called_now_with_its_authors() -> None:
    texts = {path: text for path, text in everywhere().items() if "2601.12494" in text}
    assert len(texts) >= 6
    for path, text in texts.items():
        plain = text.replace("{", "").replace("}", "")
        assert "Multi-Task Instruction Tuning via Data Scheduling for Low-Resource Arabic AudioLLMs" in plain, path
        assert all(author in plain for author in ("Bhatti", "Alam", "Chowdhury")), path
    assert [path for path, text in everywhere().items() if "Harmonizing the Arabic" in text] == ["README.md"]


def test_the_citation_is_of_this_version() -> None:
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def run_commands(page: str, folder: Path) -> None:
    """Run them in their order; each must end well."""
    for line in commands(page):
        done = run_cli(*shlex.split(line)[1:], cwd=folder)
        assert done.code == 0, f"{line}\n{done.out}\n{done.err}"


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
