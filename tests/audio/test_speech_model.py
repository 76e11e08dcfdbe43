"""The speech model's file: other weights are another version of what is heard."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from aramega.audio.speech_model import WEIGHTS
from aramega.stages.ingest import Ingest
from tests.support.cli import Run

HEARD_BY = (4, "87e9da3fd738f934")
"""The version of ingest, and the first of the sha256 of the weights it hears with. They change together."""


def test_other_weights_come_with_another_version_of_ingest() -> None:
    assert (Ingest.version, hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:16]) == HEARD_BY


def test_what_an_older_model_heard_is_heard_again(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    """A frame table in the workspace's cache is not taken for today's."""
    workspace = tmp_path / "ws"
    assert aramega("build-ssum", short_broadcast, "-w", workspace, "-q").code == 0
    (beside,) = workspace.glob("frames/*/*.json")
    about = json.loads(beside.read_text())
    assert about["made_by"][0] == Ingest.version
    beside.write_text(json.dumps({**about, "made_by": [Ingest.version - 1, *about["made_by"][1:]]}))
    table = beside.with_suffix(".npz")
    heard = table.read_bytes()
    table.write_bytes(b"of an older model")
    for book in workspace.glob("aramega.db*"):
        book.unlink()
    assert aramega("build-ssum", short_broadcast, "-w", workspace, "-q").code == 0
    assert table.read_bytes() == heard
