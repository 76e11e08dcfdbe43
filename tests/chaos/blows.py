"""Blows: how each kind is struck at a running build, and what this machine cannot do.

Signals go to real processes, and the disk that is full is a real one, if small. The clock is not really set: clock.c
stands between the build and it. What a machine lacks (Ray, the right to mount, a C compiler) is left out and said to
be.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.chaos.clusters import TwoRaylets
from tests.chaos.rude_s3 import Mood, RudeS3
from tests.chaos.weather import ON_S3, Blow, Engine, Kind

DISK_BYTES = 96 << 20
"""The whole of a storm's disk: some twice what its build needs."""
PAUSE_SECONDS = 1.0
TWO_DAYS = 2 * 86_400
OUTAGE_SECONDS = 3.0
FOR_GOOD = 0.2
"""Of so many troubles of a store, no run sees the end."""
_MOODS = {Kind.S3_ERRORS: Mood.ERRORS, Kind.S3_SLOW: Mood.SLOW, Kind.S3_BROKEN: Mood.BROKEN}


def cannot_do() -> dict[Kind | Engine, str]:
    """What has to be left out here, and why."""
    out: dict[Kind | Engine, str] = {}
    if importlib.util.find_spec("ray") is None:
        out |= {Engine.RAY: "Ray is not installed", Engine.CLUSTER: "Ray is not installed"}
    if sys.platform != "linux" or os.geteuid() != 0 or not _may_mount():
        out[Kind.DISK] = "no right to mount a small disk"
    if not shutil.which("cc"):
        out[Kind.CLOCK] = "no C compiler, to build the clock that can be set"
    if not all(map(importlib.util.find_spec, ("moto", "s3fs"))):
        out |= dict.fromkeys(ON_S3, "moto or s3fs is not installed")
    return out


def _may_mount() -> bool:
    """Root in a container often may not. `unshare` tries it where it leaves no trace."""
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return tried.returncode == 0


class Site:
    """Where a storm rages: the disk under the workspace, the clock over it, the cluster and the store beside it."""

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        kinds: frozenset[Kind],
        cluster: TwoRaylets | None = None,
        s3: RudeS3 | None = None,
    ) -> None:
        self.workspace = folder / "workspace"
        self.engine, self.kinds, self.cluster, self.s3 = engine, kinds, cluster, s3
        self._ballast, self._clock = self.workspace / "ballast", folder / "clock"

    @contextlib.contextmanager
    def ready(self) -> Iterator[None]:
        """With a small disk of its own where a storm is to fill it."""
        self.workspace.mkdir(parents=True)
        self._set_clock(0)
        if Kind.DISK not in self.kinds:
            yield
            return
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.workspace)]
        subprocess.run(mount, check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(self.workspace)], check=True)

    def environment(self) -> dict[str, str]:
        """For the driver: with a clock that can be set where a storm is to turn it."""
        told = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}
        if self.s3:
            told |= self.s3.environment()
        if Kind.CLOCK not in self.kinds:
            return told
        return told | {"LD_PRELOAD": str(compile_clock(self._clock.parent)), "STORM_CLOCK": str(self._clock)}

    def strike(self, blow: Blow, driver: psutil.Process) -> bool:
        """Whether it found what to hit, at once; the caller may try again a moment later."""
        if blow.kind is Kind.DISK:
            self._fill_disk(int(blow.chance * (64 << 10)))
            return True
        if blow.kind is Kind.CLOCK:
            self._set_clock(-TWO_DAYS)
            return True
        if blow.kind in _MOODS:
            assert self.s3
            self.s3.be_rude(_MOODS[blow.kind], math.inf if blow.chance < FOR_GOOD else OUTAGE_SECONDS)
            return True
        if blow.kind is Kind.DRIVER:
            return _hit(driver)
        targets = self._targets(blow.kind, driver)
        if not targets:
            return False
        target = targets[int(blow.chance * len(targets))]
        return _pause(target) if blow.kind is Kind.PAUSE else _hit(target)

    def clear(self) -> None:
        """Somebody frees the disk, mends the store and brings the lost machine back; the clock stays as it is."""
        self._ballast.unlink(missing_ok=True)
        if self.s3:
            self.s3.calm_down()
        if self.cluster and self.engine is Engine.CLUSTER:
            self.cluster.mend()

    def processes(self, driver: psutil.Process) -> list[psutil.Process]:
        """All that works for the driver, wherever it hangs in the tree."""
        roots = [driver] if self.engine is not Engine.CLUSTER or not self.cluster else self.cluster.raylets()
        found = []
        for root in roots:
            with contextlib.suppress(psutil.NoSuchProcess):
                found += root.children(recursive=True)
        return found

    def workers(self, driver: psutil.Process) -> list[psutil.Process]:
        if self.engine in (Engine.LOCAL_1, Engine.LOCAL_2):
            return [p for p in self.processes(driver) if _name(p).startswith("python")]
        return [p for p in self.processes(driver) if _line(p).startswith("ray::_Actor")]

    def belongs(self, process: psutil.Process) -> bool:
        """Whether it has to go when the build does: on a cluster that outlives it, workers at work and decoders."""
        if self.engine is not Engine.CLUSTER:
            return True
        return _line(process).startswith("ray::_Actor") or _name(process) in ("ffmpeg", "ffprobe")

    def _targets(self, kind: Kind, driver: psutil.Process) -> list[psutil.Process]:
        if kind in (Kind.WORKER, Kind.PAUSE):
            return self.workers(driver)
        if kind is Kind.DECODER:
            return [p for p in self.processes(driver) if _name(p) in ("ffmpeg", "ffprobe")]
        assert kind is Kind.RAYLET
        if self.cluster and self.engine is Engine.CLUSTER:
            return self.cluster.raylets()
        return [p for p in self.processes(driver) if _name(p) == "raylet"]

    def _fill_disk(self, left: int) -> None:
        about = os.statvfs(self.workspace)
        with self._ballast.open("wb") as file, contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(1, about.f_bavail * about.f_frsize - left))

    def _set_clock(self, seconds: int) -> None:
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:  # in place: it is mapped
            file.write(struct.pack("=q", seconds))


def compile_clock(folder: Path) -> Path:
    """The clock that can be set, as a library to be loaded before the C library."""
    library = folder / "clock.so"
    if not library.exists():
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    return library


def _hit(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
        return True
    return False


def _pause(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.suspend()
        time.sleep(PAUSE_SECONDS)
        process.resume()
        return True
    return False


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""


def _line(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
