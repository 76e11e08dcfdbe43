"""A node that sees nothing of the workspace: a real one, in a mount namespace of its own, with S3 between it and us."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray")
pytest.importorskip("moto")
pytest.importorskip("whisper")

from tests.chaos.rude_s3 import BUCKET, RudeS3
from tests.maintenance.looking import files, rows
from tests.support.cli import Run
from tests.support.clusters import loopback_cluster


def may_hide_folders() -> bool:
    hide = ["unshare", "-m", "mount", "-t", "tmpfs", "none", tempfile.gettempdir()]  # gone with the command
    return bool(shutil.which("unshare")) and not subprocess.run(hide, check=False, capture_output=True).returncode


pytestmark = pytest.mark.skipif(not may_hide_folders(), reason="only root can hide a folder from a node")
TABLES = ("recordings", "timelines", "segments", "passages", "transcripts", "checks")


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster whose only node with a core sees an empty disk where the workspace is."""
    server = RudeS3()
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    server.files()
    (tmp_path / "news").mkdir()
    (tmp_path / "tmp").mkdir()
    try:
        with loopback_cluster([0]) as head:
            start = f"{sys.executable} -m ray.scripts.scripts start --address={head} --num-cpus=1 --block"
            hidden = f"mount -t tmpfs none '{tmp_path}/news' && exec {start}"
            # Its workers keep what they make in a temporary folder of their own; Ray's names would get too long there.
            environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "RAY_TMPDIR": tempfile.gettempdir()}
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            node = subprocess.Popen(["unshare", "-m", "sh", "-c", hidden], env=environment, **quiet)
            yield head
            node.terminate()
            node.wait()
    finally:
        server.close()


def test_a_node_with_nothing_but_an_object_store_makes_the_same_drafts(
    aramega: Run, address: str, short_broadcast: Path, tmp_path: Path
) -> None:
    kept = f"s3://{BUCKET}/kept"
    draft = ["--asr-model", "demo", "--quiet", "-n", "1"]
    far = aramega(
        "build-ssum",
        short_broadcast,
        "-w",
        tmp_path / "news",
        "--files",
        kept,
        *draft,
        "--engine",
        "ray",
        "--ray-address",
        address,
    )
    assert far.code == 0, far.err
    assert not files(tmp_path / "news", ["frames"]), "the recording was heard, and its clips cut, on the other node"
    assert not list((tmp_path / "tmp").glob("*/*/scratch/*.s16"))
    assert aramega("fetch", tmp_path / "news", "--frames").code == 0
    near = aramega("build-ssum", short_broadcast, "-w", tmp_path / "near", *draft)
    assert near.code == 0, near.err
    assert files(tmp_path / "news") == files(tmp_path / "near")
    for table in TABLES:
        assert rows(tmp_path / "news")[table] == rows(tmp_path / "near")[table]
