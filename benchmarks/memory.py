"""Peak memory of a build: a 10 h recording against a 1 h one, above what an idle import takes.

Counted for the driver and its worker together (their peaks added, which overstates), without ffmpeg,
whose memory is its own. Peaks are the kernel's VmHWM, read as each process ends.

    python benchmarks/memory.py [--hours 1 10]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from broadcasts import encode, make_recording

# A build in a process of its own that prints the driver's and the worker's peaks. The worker is a fork, so its
# peak counts pages it shares with the driver: an overstatement again.
SCRIPT = """
import json, re, sys
from aramega.engine import worker
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
do = worker.Worker.do
def noted(self, task):
    answer = do(self, task)
    open(sys.argv[1], "a").write(f"{peak()}\\n")
    return answer
worker.Worker.do = noted
from aramega.cli import run
if sys.argv[2:]:
    run(sys.argv[2:])
print(json.dumps(peak()))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[1, 10])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        idle, _ = peaks(Path(folder) / "idle.txt")
        print("| recording | driver | worker | worker above idle import |")
        print("|---|---|---|---|")
        print(f"| none (idle import) | {idle:.0f} MB | | |")
        above = []
        for hours in options.hours:
            mp3 = encode(make_recording(Path(folder), hours * 60), Path(folder) / "r.mp3", "-b:a", "24k")
            workspace = str(Path(folder) / f"ws{hours:g}")
            driver, worker = peaks(
                Path(folder) / f"{hours:g}.txt", "build-ssum", str(mp3), "-w", workspace, "-n", "1", "-q"
            )
            above.append(worker - idle)
            print(f"| {hours:g} h | {driver:.0f} MB | {worker:.0f} MB | {worker - idle:.0f} MB |", flush=True)
        print(
            f"\nThe longest against the shortest: {above[-1] - above[0]:+.0f} MB; the most above idle: {max(above):.0f} MB."
        )


def peaks(notes: Path, *arguments: str) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(notes), *arguments], capture_output=True, text=True, check=True
    )
    workers = [float(line) for line in notes.read_text().split()] if notes.exists() else [0.0]
    return json.loads(done.stdout.splitlines()[-1]), max(workers)


if __name__ == "__main__":
    main()
