"""Recordings for tests: cuts of the sample broadcast, in whatever format a name ends with."""

from __future__ import annotations

import subprocess
from pathlib import Path


def cut(recording: Path, start: float, seconds: float, to: Path) -> Path:
    """`seconds` of a recording from `start` on, as a recording of its own."""
    command = ["ffmpeg", "-v", "error", "-ss", str(start), "-i", str(recording), "-t", str(seconds), str(to)]
    subprocess.run(command, check=True)
    return to
