"""A small soak: nothing that a build holds grows with the number of files. benchmarks/soak.py does thousands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "benchmarks"))
import soak

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to look into processes")

SHORT, HOURS = 36, 1 / 3
DRIVER_MB, WORKER_MB = 110, 170
"""Where memory must stay, whatever the number of files: some 65 MB of imports to begin with, up to 40 more once every
stage has been at work, and a twenty-minute recording. All its samples would be 38 MB. A small leak takes thousands of
files to show; this catches the large ones."""


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> soak.Soak:
    folder = tmp_path_factory.mktemp("soak")
    archive = soak.make_archive(folder / "archive", SHORT, 1, HOURS, minutes=2)
    return soak.watch_build(archive, folder / "workspace", workers=2, every=0.1)


def test_everything_is_built(soaked: soak.Soak) -> None:
    assert soaked.code == 0
    assert soaked.said["recordings"] == SHORT + 1
    assert soaked.said["drafted"] == soaked.said["passages"] > SHORT


def test_open_files_and_threads_are_bounded(soaked: soak.Soak) -> None:
    for name in ("driver's descriptors", "most descriptors of a worker"):
        assert max(s.readings[name] for s in soaked.samples) < 32, name
    for name in ("driver's threads", "most threads of a worker"):
        assert max(s.readings[name] for s in soaked.samples) <= 4, name
    assert max(s.readings["workers"] for s in soaked.samples) <= 3, "two that share, and one for transcripts"


def test_memory_stays_where_it_is(soaked: soak.Soak) -> None:
    assert max(s.readings["driver's memory, MB"] for s in soaked.samples) < DRIVER_MB, soak.table(soaked.samples)
    assert max(s.readings["largest worker's memory, MB"] for s in soaked.samples) < WORKER_MB, soak.table(
        soaked.samples
    )
    grown = soak.at(soaked.samples, "driver's memory, MB", 0.98) - soak.at(soaked.samples, "driver's memory, MB", 0.25)
    assert grown < 16, soak.table(soaked.samples)


def test_decoded_samples_are_gone_when_nobody_wants_them(soaked: soak.Soak) -> None:
    largest = max(s.readings["scratch, MB"] for s in soaked.samples)
    assert largest < 1.5 * HOURS * 3600 * 2 * 16_000 / 1e6
    assert soaked.samples[-1].readings["scratch, MB"] < 2
