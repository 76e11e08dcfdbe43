"""docs/reference is made from the command table and the models, and is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from aramega.cli import COMMANDS
from aramega.cli.reference import commands_page, options_page
from aramega.config import Config

PAGES = {"commands": commands_page, "options": options_page}
FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_what_its_command_prints(page: str) -> None:
    remedy = f"run: python -m aramega.cli.reference {page} > docs/reference/{page}.md"
    assert (FOLDER / f"{page}.md").read_text(encoding="utf-8") == PAGES[page](), remedy


def test_every_command_and_every_section_is_on_a_page() -> None:
    commands, options = commands_page(), options_page()
    assert all(f"### `aramega {entry.words}`" in commands for entry in COMMANDS)
    assert all(f"## `[{section}]`" in options for section in ("ingest", "transcribe", "publish"))
    assert set(Config.model_fields) >= {"ingest", "transcribe", "publish"}
