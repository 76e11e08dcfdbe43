"""Soak: thousands of short files and a few ten-hour ones in one build; does anything grow?

Memory, open files and threads of the driver and of its workers, and the scratch folder, are read from
/proc every second or so while the build runs through all its stages (transcripts come from subtitles
beside the recordings: no model's memory hides ours). The slope is Theil-Sen's, per 1,000 files, over all
samples after the first quarter: until then workers come to hold the code of every stage, and one long
recording's hill is not taken for growth.

    python benchmarks/soak.py [--short 2000] [--long 5] [--hours 10] [--workers 2] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import soundfile
from broadcasts import RATE, encode, make_recording

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.support.synth.voices import WORDS

OPTIONS = ("passages.min_seconds=2", "passages.target_seconds=40", "transcribe.model=subtitles")
ALLOWED_MB = 8.0
"""Growth a 1,000 files below which memory is called flat: a leaked clip or frame table a file would be 100 to 300."""
ALLOWED_DESCRIPTORS = 0.5
MOMENTS = {"start": 0.03, "quarter": 0.25, "half": 0.5, "three quarters": 0.75, "end": 0.98}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", type=int, default=2000, help="files of 4 to 12 seconds")
    parser.add_argument("--long", type=int, default=5)
    parser.add_argument("--hours", type=float, default=10, help="of each long one")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between samples")
    parser.add_argument(
        "--folder", type=Path, help="work here, with the archive of last time, and leave all; else a temporary folder"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        archive = folder / "archive"
        if not archive.exists():
            make_archive(archive, options.short, options.long, options.hours)
        soak = watch_build(archive, folder / "workspace", workers=options.workers, every=options.every)
    print(
        f"{options.short:,} short files and {options.long} of {options.hours:g} h: exit code {soak.code}, "
        f"{soak.said.get('passages', 0):,} passages, {soak.said.get('drafted', 0):,} drafts, {soak.said.get('failed', 0)} "
        f"failed; {soak.took:.0f} s, {len(soak.samples)} samples.\n"
    )
    print(table(soak.samples))
    grown = growing(soak.samples)
    print(f"\n{'Flat.' if not grown else 'GROWS: ' + ', '.join(grown)}")
    sys.exit(bool(grown) or soak.code != 0)


# The archive


def make_archive(folder: Path, short: int, long: int, hours: float, *, minutes: float = 10, seed: int = 1) -> Path:
    """Short files of three formats, each other bytes, and the long ones evenly among them; subtitles beside all. All are
    cut from the same so many minutes of broadcast."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    wav = make_recording(folder.parent, minutes)
    speech, _ = soundfile.read(wav, dtype="int16")
    for number in range(short):
        seconds = rng.uniform(4, 12)
        first = int(rng.integers(len(speech) - seconds * RATE))
        path = folder / f"{number:05d}.{('wav', 'flac', 'mp3')[number % 3]}"
        soundfile.write(path, speech[first : first + int(seconds * RATE)], RATE)
        _write_subtitles(path, seconds, rng)
    compressed = encode(wav, folder.parent / "loop.mp3", "-b:a", "24k")
    for number in range(long):
        path = folder / f"{int((number + 0.5) * short / long):05d}-long.mp3"
        _loop(compressed, path, hours * 3600 - 7 * number)  # other lengths, so other bytes
        _write_subtitles(path, hours * 3600, rng)
    return folder


def _loop(mp3: Path, path: Path, seconds: float) -> None:
    again = ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", str(mp3), "-t", str(seconds), "-c", "copy", str(path)]
    subprocess.run(again, check=True)


def _write_subtitles(recording: Path, seconds: float, rng: np.random.Generator) -> None:
    """A cue every two seconds, of random words: what is said does not matter, that it is something does."""
    starts = range(0, int(seconds), 2)
    said = rng.choice(WORDS, size=(len(starts), 4))
    cues = (
        f"{i}\n{_clock(s)} --> {_clock(s + 2)}\n{' '.join(w)}\n"
        for i, (s, w) in enumerate(zip(starts, said, strict=True))
    )
    recording.with_suffix(".srt").write_text("\n".join(cues), encoding="utf-8")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},000"


# The build, watched


@dataclass(frozen=True)
class Sample:
    """What the build's processes hold at one moment."""

    files: int
    """Ingested so far."""
    readings: dict[str, float]


@dataclass
class Soak:
    """A watched build: its samples, its last words, its exit code."""

    samples: list[Sample] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    code: int | None = None
    took: float = 0.0


def watch_build(archive: Path, workspace: Path, *, workers: int, every: float) -> Soak:
    """Build everything in `archive`, sampling the driver and its workers all along."""
    line = [sys.executable, "-m", "aramega", "build-ssum", str(archive), "-w", str(workspace), "--json"]
    line += ["--workers", str(workers), *(part for option in OPTIONS for part in ("--set", option))]
    soak, files, begun = Soak(), 0, time.monotonic()
    told_in = workspace.with_suffix(".jsonl")
    with told_in.open("w") as out, told_in.open(encoding="utf-8") as news:
        build = subprocess.Popen(line, stdout=out)
        while soak.code is None:
            time.sleep(every)
            soak.code = build.poll()
            for told in _new_lines(news):
                files += told.get("stage") == "ingest"
                soak.said = told if "recordings" in told else soak.said
            if soak.code is None and files:
                soak.samples.append(Sample(files, read_processes(build.pid, workspace)))
    soak.took = time.monotonic() - begun
    return soak


def _new_lines(news: TextIO) -> Iterator[dict[str, Any]]:
    """The whole lines written since the last look."""
    while True:
        before = news.tell()
        line = news.readline()
        if not line.endswith("\n"):
            news.seek(before)
            return
        yield json.loads(line)


def read_processes(driver: int, workspace: Path) -> dict[str, float]:
    """Memory, descriptors and threads, of the driver and of the worker that has most; and what lies in scratch."""
    workers = [pid for pid in _children(driver) if _name(pid).startswith("python")]
    decoders = [pid for worker in workers for pid in _children(worker)]
    scratch = sum(p.stat().st_size for p in (workspace / "scratch").glob("*") if p.exists()) / 1e6
    return {
        "driver's memory, MB": _memory(driver),
        "largest worker's memory, MB": max(map(_memory, workers), default=0.0),
        "workers' memory together, MB": sum(map(_memory, workers)),
        "driver's descriptors": _descriptors(driver),
        "most descriptors of a worker": max(map(_descriptors, workers), default=0),
        "driver's threads": _threads(driver),
        "most threads of a worker": max(map(_threads, workers), default=0),
        "workers": len(workers),
        "decoders": len(decoders),
        "scratch, MB": scratch,
    }


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    return _status(pid).get("Name", "")


def _memory(pid: int) -> float:
    return float(_status(pid).get("VmRSS", "0 kB").split()[0]) / 1024


def _threads(pid: int) -> int:
    return int(_status(pid).get("Threads", 0))


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def _status(pid: int) -> dict[str, str]:
    """Nothing, of a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


# What came of it


def table(samples: Sequence[Sample]) -> str:
    """A line for each thing watched: at the moments of the build, at its peak, and its slope."""
    lines = [f"| | {' | '.join(MOMENTS)} | peak | a 1,000 files |", f"|---|{'---|' * (len(MOMENTS) + 2)}"]
    for name in samples[0].readings:
        moments = (f"{at(samples, name, share):.0f}" for share in MOMENTS.values())
        peak = max(s.readings[name] for s in samples)
        lines.append(f"| {name} | {' | '.join(moments)} | {peak:.0f} | {slope(samples, name):+.2f} |")
    return "\n".join(lines)


def at(samples: Sequence[Sample], name: str, share: float) -> float:
    """The median about the moment when that share of the files was in."""
    last = samples[-1].files
    near = [s.readings[name] for s in samples if abs(s.files / last - share) <= 0.04]
    return statistics.median(near) if near else float("nan")


def slope(samples: Sequence[Sample], name: str) -> float:
    """Growth a 1,000 files, after the first quarter."""
    late = [s for s in samples if s.files >= samples[-1].files / 4]
    files, values = np.array([s.files / 1000 for s in late]), np.array([s.readings[name] for s in late])
    first, second = np.triu_indices(len(late), 1)
    apart = files[second] > files[first]
    if not apart.any():
        return float("nan")
    slopes = (values[second] - values[first])[apart] / (files[second] - files[first])[apart]
    return float(np.median(slopes))


def growing(samples: Sequence[Sample]) -> list[str]:
    """What is not flat."""
    allowed = {
        name: ALLOWED_MB if name.endswith("memory, MB") else ALLOWED_DESCRIPTORS
        for name in samples[0].readings
        if "memory, MB" in name or "descriptors" in name or "threads" in name
    }
    return [name for name, most in allowed.items() if slope(samples, name) > most]


if __name__ == "__main__":
    main()
