"""The same rows and files wherever a build runs: on one worker, on two, on a Ray cluster of one node, and of two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray")

from tests.maintenance.looking import timeless
from tests.support.cli import run_cli
from tests.support.clusters import loopback_cluster
from tests.support.recordings import cut


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, broadcast: Path) -> Path:
    """Different recordings of half a minute, more than there are workers."""
    folder = tmp_path_factory.mktemp("archive")
    for i in range(4):
        cut(broadcast, i * 30, 35, folder / f"{i}.mp3")
    return folder


@pytest.fixture(scope="module")
def alone(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one worker on this machine makes of it."""
    return build(archive, tmp_path_factory.mktemp("alone"), "--workers", "1")


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[str]:
    with loopback_cluster([1, 1]) as address:
        yield address


def build(archive: Path, workspace: Path, *how: str) -> dict[str, object]:
    assert run_cli("build-ssum", archive, "-w", workspace, "--quiet", *how).code == 0
    return timeless(workspace)


def test_something_is_made_to_compare(alone: dict[str, object]) -> None:
    assert [name for name in alone if name.startswith("clips/")]
    assert alone["passages"]


IN_RANGES = ["--set", "ingest.range_minutes=0.2"]


@pytest.mark.parametrize(
    "how",
    [["--workers", "2"], ["--workers", "2", *IN_RANGES], ["--engine", "ray", "--workers", "1"]],
    ids=["two workers", "two workers sharing recordings", "ray"],
)
def test_one_machine_makes_the_same(archive: Path, tmp_path: Path, alone: dict[str, object], how: list[str]) -> None:
    assert build(archive, tmp_path, *how) == alone


def test_two_nodes_make_the_same(archive: Path, tmp_path: Path, alone: dict[str, object], two_nodes: str) -> None:
    """Each node has one CPU and a worker takes one, so two workers are one on each; they share recordings, too."""
    assert (
        build(archive, tmp_path, "--engine", "ray", "--ray-address", two_nodes, "--workers", "2", *IN_RANGES) == alone
    )
