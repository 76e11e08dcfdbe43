"""A build killed by SIGKILL at thirty random moments, then resumed, against one left in peace.

Compared: every row of every table that holds results, and every clip and frame table byte for byte.
"Done twice" counts results written more often than once; a kill may cost at most what was in flight.

    python benchmarks/resume.py [--kills 30] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from broadcasts import encode, make_recording

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.pipeline.test_resume import contents

WORKERS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        archive.mkdir()
        wav = make_recording(Path(folder), 6)
        for i in range(60):
            encode(wav, archive / f"{i:02d}.mp3", "-ss", f"{i * 2}", "-t", "240", "-b:a", "24k")
        calm, stormy = Path(folder) / "calm", Path(folder) / "stormy"
        subprocess.run(command(archive, calm), check=True)
        finished_late, redone, kills = 0, 0, 0
        while kills < options.kills:
            before = results(stormy)
            build = subprocess.Popen(command(archive, stormy))
            time.sleep(rng.uniform(0.3, 2.0))
            if build.poll() is not None:  # done before the kill: start over, the kills go on
                finished_late += 1
                subprocess.run(["rm", "-rf", stormy], check=True)
                continue
            build.send_signal(signal.SIGKILL)
            build.wait()
            kills += 1
            after = results(stormy)
            redone += sum(1 for key, finished_at in before.items() if after[key] != finished_at)
        subprocess.run(command(archive, stormy), check=True)
        same = contents(calm) == contents(stormy)
        print(
            "| kills | whole builds before the kill came | finished work done twice | rows and files as without kills |"
        )
        print("|---|---|---|---|")
        print(f"| {kills} | {finished_late} | {redone} | {'identical' if same else 'DIFFERENT'} |")
        sys.exit(not same or redone > 0)


def command(archive: Path, workspace: Path) -> list[str]:
    line = [sys.executable, "-m", "aramega", "build-ssum", archive, "-w", workspace, "-q", "--workers", WORKERS]
    return [str(part) for part in line]


def results(workspace: Path) -> dict[tuple[str, str], str]:
    if not (workspace / "aramega.db").exists():
        return {}
    connection = sqlite3.connect(workspace / "aramega.db")
    try:
        rows = connection.execute("SELECT stage, item, finished_at || took FROM results").fetchall()
    except sqlite3.OperationalError:  # killed before the tables were made
        return {}
    return {(stage, item): finished_at for stage, item, finished_at in rows}


if __name__ == "__main__":
    main()
