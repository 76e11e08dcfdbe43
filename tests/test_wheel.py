"""What `pip install` brings: the whole package, with its data, and a demo that works outside the clone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_labelling_configs_and_the_card_templates(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("annotation", "hub_cards"):
        shipped = {f"aramega/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / folder).iterdir()}
        assert shipped
        assert shipped <= set(names)


def test_the_wheel_alone_can_run_the_demo(wheel: Path, tmp_path: Path) -> None:
    """Unpacked into an empty folder and run from there, so that nothing can come from the clone."""
    zipfile.ZipFile(wheel).extractall(tmp_path)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        python = f"import sys, aramega.cli; print(aramega.__file__); sys.exit(aramega.cli.run({list(words)!r}))"
        return subprocess.run([sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    [address] = re.findall(r"file://\S+/report\.html", done.stdout)
    report = Path(address.removeprefix("file://"))
    assert report == tmp_path / "demo-workspace" / "report.html"
    assert report.stat().st_size > 10_000
    again = run("demo", "--json").stdout.partition("\n")[2]
    made = json.loads(again)
    assert (made["report"], made["failed"]) == (address, 0)
    assert made["passages"] > 0
