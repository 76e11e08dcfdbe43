"""docs/python.md and the notebook run, in a process of their own, and show what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.notebooks import code_cells, stored_output
from tests.docs.test_docs import ROOT

PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-steps.ipynb"
RUN_CELLS = (
    "import json, sys; from tests.docs.notebooks import run_cells; print(json.dumps(run_cells(json.load(sys.stdin))))"
)


def run_in_a_process(sources: list[str], folder: Path) -> list[str]:
    """What each source shows, run one after the other in one fresh Python in `folder`."""
    threads = {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")}
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), **threads}
    done = subprocess.run(
        [sys.executable, "-c", RUN_CELLS],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown: list[str] = json.loads(done.stdout)
    return shown


def test_every_block_of_the_page_runs(tmp_path: Path, short_broadcast: Path) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "short.wav").symlink_to(short_broadcast)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    shown = run_in_a_process(blocks, tmp_path)
    assert "0 failures" in shown[1]
    assert "did you mean `max_seconds`?" in shown[-1]
    assert shown[-1].strip() in PAGE.read_text(encoding="utf-8")


def test_the_notebook_shows_what_it_stores(tmp_path: Path) -> None:
    """Cells marked `varies` show times or a model's words, which differ from machine to machine."""
    pytest.importorskip("whisper")
    pytest.importorskip("datasets")
    cells = code_cells(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    shown = run_in_a_process(["".join(cell["source"]) for cell in cells], tmp_path)
    for cell, text in zip(cells, shown, strict=True):
        assert bool(text) == bool(stored_output(cell))
        if "varies" not in cell["metadata"].get("tags", []):
            assert text == stored_output(cell)


def test_the_notebook_names_no_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert not re.search(r"/(home|tmp|work|root|Users)/", text)
    assert len(text) < 30_000
