"""Two workers against one on twenty recordings.

A worker keeps to about one core (its decoder and its analysis take turns), so on two idle cores two
workers should be nearly twice as fast.

    python benchmarks/workers.py [--files 20] [--minutes 6] [--rounds 2]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from broadcasts import encode, make_recording


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many counts, for both sides")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        archive.mkdir()
        wav = make_recording(Path(folder), options.minutes)
        for i in range(options.files):  # different from their first sample on, so that none is another's twin
            cut = ["-ss", f"{i * 0.5:g}", "-ar", "44100", "-ac", "2", "-b:a", "128k"]
            encode(wav, archive / f"{i:02d}.mp3", *cut)
        rounds = [(build(archive, 1), build(archive, 2)) for _ in range(options.rounds)]
        one, two = (min(times) for times in zip(*rounds, strict=True))
        print(
            f"| {options.files} recordings of {options.minutes:g} min, {os.cpu_count()} cores | best of {options.rounds} | speed-up |"
        )
        print("|---|---|---|")
        print(f"| 1 worker | {one:.2f} s | 1.00 |")
        print(f"| 2 workers | {two:.2f} s | {one / two:.2f} |")


def build(archive: Path, workers: int) -> float:
    workspace = archive.parent / "workspace"
    command = [
        sys.executable,
        "-m",
        "aramega",
        "build-ssum",
        archive,
        "-w",
        workspace,
        "--workers",
        str(workers),
        "--quiet",
    ]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    took = time.perf_counter() - begun
    shutil.rmtree(workspace)
    return took


if __name__ == "__main__":
    main()
