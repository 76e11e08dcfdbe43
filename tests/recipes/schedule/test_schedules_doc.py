"""docs/schedules.md: its commands run, and it names every option with its default."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from recipes.schedule import ScheduleConfig

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")


def options(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from options(info.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", info.default


def test_every_option_stands_there_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    for name, default in options(ScheduleConfig):
        assert name in rows
        if default not in ({}, ()):
            assert rows[name].strip("` ").strip('"') == str(default), name


def test_every_command_works(tmp_path: Path) -> None:
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line]
    assert len(lines) >= 2
    for line in lines:
        command = shlex.split(line.replace("schedule.html", str(tmp_path / "schedule.html")))
        done = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "schedule.html").exists()
