"""docs/publish.md and docs/load.md, run as they stand: one on a reviewed workspace, the other on what it published."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from aramega.cli import run
from aramega.config import load_config
from recipes.config import RecipeConfig, parse_config, tomllib
from recipes.data import load_examples
from tests.publish.sets import a_set, resolve
from tests.support.loopback_hub import OWNER, Hub, User

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(kind, the file it is to be saved as, text) of every block, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    shape = r"(?:Save this as\s`(?P<name>[\w.]+)`:\n\n)?```(?P<kind>\w+)\n(?P<body>.*?)```"
    return [(m["kind"], m["name"] or "", m["body"]) for m in re.finditer(shape, text, re.DOTALL)]


def test_both_pages_work_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hub: Hub
) -> None:
    monkeypatch.chdir(tmp_path)
    hub.users[OWNER] = User("your-name")
    workspace = a_set(tmp_path / "news", recordings=5)
    resolve(workspace)
    for kind, name, body in blocks("publish.md"):
        if name:
            Path(name).write_text(body, encoding="utf-8")
        elif kind == "toml":
            Path("checked.toml").write_text(body, encoding="utf-8")
            assert load_config(Path("checked.toml")).publish.contact == "data@example.org"
        elif kind == "console":
            for line in body.strip().splitlines():
                assert run(shlex.split(line)[1:]) == 0, f"{line}\n{capsys.readouterr().err}"
    assert hub.dataset("your-name/news").tags.keys() == {"v1.0", "v1.1"}

    names: dict[str, object] = {}
    for kind, _, body in blocks("load.md"):
        if kind == "python":
            capsys.readouterr()
            exec(compile(body, "docs/load.md", "exec"), names)
            assert capsys.readouterr().out or "print" not in body, f"says nothing: {body}"
        elif kind == "toml":
            config = parse_config(tomllib.loads(body), source="the page")
            assert isinstance(config, RecipeConfig)
            found = load_examples(config.data, "train")
            assert {one.task for one in found.items} >= {"ssum", "asr", "text_summ", "dialect", "emotion"}
