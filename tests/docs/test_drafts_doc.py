"""docs/drafts.md: its commands work in order, its rules can be read, and its table of facts is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aramega.backends.asr.checkpoints import checkpoint_path
from aramega.config import load_config
from aramega.config.check import FACTS
from tests.docs.test_docs import ROOT, run_commands

PAGE = ROOT / "docs" / "drafts.md"


def test_every_command_on_the_page_works(tmp_path: Path, broadcast: Path) -> None:
    pytest.importorskip("whisper")
    if not checkpoint_path("demo").exists():
        pytest.skip("the demo checkpoint is not here: recipes/demo_asr trains it")
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "news.mp3").write_bytes(broadcast.read_bytes())
    run_commands("docs/drafts.md", tmp_path)


def test_the_table_of_facts_is_what_rules_may_ask_about() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| fact |")[2]
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", table, re.MULTILINE)
    assert dict(rows) == FACTS


def test_the_rules_on_the_page_can_be_read(tmp_path: Path) -> None:
    [block] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "a.toml").write_text(block, encoding="utf-8")
    assert "said before: similarity >= 0.8" in load_config(tmp_path / "a.toml").check.reject
