"""How long `aramega --help` takes, against Python starting with nothing and two peers' command lines.

python benchmarks/startup.py [--rounds 10]
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "aramega --help": [sys.executable, "-m", "aramega", "--help"],
    "lhotse --help": [sys.executable, "-m", "lhotse.bin.lhotse", "--help"],
    "datasets-cli --help": [sys.executable, "-m", "datasets.commands.datasets_cli", "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    print(f"| command | best of {rounds} | median |")
    print("|---|---|---|")
    for name, command in COMMANDS.items():
        if len(command) > 2 and command[1] == "-m" and not importlib.util.find_spec(command[2].split(".")[0]):
            continue
        times = sorted(timed(command) for _ in range(rounds))
        print(f"| {name} | {times[0]:.3f} s | {times[len(times) // 2]:.3f} s |", flush=True)


def timed(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
