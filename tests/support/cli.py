"""The command line, run as a curator runs it: a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


def run_cli(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Said:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, env=env, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def command(*arguments: str | Path) -> list[str]:
    """The argument list that starts aramega with this very Python."""
    return [sys.executable, "-m", "aramega", *map(str, arguments)]
