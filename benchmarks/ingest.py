"""How long build-ssum takes on one recording, against ffmpeg merely decoding it to 16 kHz mono.

One worker, cold: a new workspace, a new process, all measures taken, all clips written, the database
committed. The peer is the same ffmpeg, the same file, in the same run, its output thrown away. Two kinds
of mp3: as broadcasters keep them (44.1 kHz stereo, 128 kbit/s), and the cheapest there is to decode
(16 kHz mono, 24 kbit/s), where everything that is not decoding weighs most.

    python benchmarks/ingest.py [--minutes 60] [--rounds 3]
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from broadcasts import encode, make_recording

KINDS = {"44.1 kHz stereo 128k": ["-ar", "44100", "-ac", "2", "-b:a", "128k"], "16 kHz mono 24k": ["-b:a", "24k"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts, for both sides")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wav = make_recording(Path(folder), options.minutes)
        print(f"| recording of {options.minutes:g} min | what | best of {options.rounds} | ratio to ffmpeg |")
        print("|---|---|---|---|")
        for kind, encoding in KINDS.items():
            compare(kind, encode(wav, Path(folder) / "recording.mp3", *encoding), options.rounds)


def compare(kind: str, mp3: Path, rounds: int) -> None:
    rows: dict[str, list[float]] = {"ffmpeg, decoding only": [], "build-ssum": []}
    if importlib.util.find_spec("silero_vad") and importlib.util.find_spec("onnxruntime"):
        rows["build-ssum with second opinion"] = []
    for _ in range(rounds):
        for what, times in rows.items():
            begun = time.perf_counter()
            decode(mp3) if what.startswith("ffmpeg") else build(mp3, second_opinion="second" in what)
            times.append(time.perf_counter() - begun)
    peer = min(rows["ffmpeg, decoding only"])
    for what, times in rows.items():
        print(f"| {kind} | {what} | {min(times):.2f} s | {min(times) / peer:.2f} |", flush=True)


def decode(mp3: Path) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", mp3, "-ac", "1", "-ar", "16000", "-f", "s16le", "-y", "/dev/null"], check=True
    )


def build(mp3: Path, *, second_opinion: bool) -> None:
    workspace = mp3.parent / "workspace"
    command = [
        sys.executable,
        "-m",
        "aramega",
        "build-ssum",
        mp3,
        "--workspace",
        workspace,
        "--workers",
        "1",
        "--quiet",
    ]
    subprocess.run([*command, "--set", f"segment.second_opinion={str(second_opinion).lower()}"], check=True)
    shutil.rmtree(workspace)


if __name__ == "__main__":
    main()
