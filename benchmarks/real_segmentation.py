"""Segmentation of real Arabic sound, against silero-vad, webrtcvad and plain energy in the same run.

There is no truth for these recordings, so silero-vad, fitted on thousands of hours, is the yardstick for speech:
`kept` is the share of silero's speech that a segmenter finds too. `in passages` is the share of the speech found that
the passages hold, over the recordings of 20 s and more. Where nobody speaks (`music_noise`) the last column counts:
the speech a segmenter finds, in units of silero's. Lines that were cut out of one recording are joined again with
pauses first.

    python benchmarks/real_segmentation.py --data FOLDER           # or ARAMEGA_REAL_SOUND=FOLDER

FOLDER holds `index.csv` with the columns `path` and `set`, and the files it names. Nothing is learnt here.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from aramega.audio.frames import FrameAnalyzer  # noqa: E402
from aramega.audio.mel import FRAMES_PER_SECOND, HOP  # noqa: E402
from aramega.config import PassagesConfig, SegmentConfig  # noqa: E402
from aramega.records import RATE, Segment, Span  # noqa: E402
from aramega.stages.passages import plan_passages  # noqa: E402
from aramega.stages.segment import find_spans, plan_segments  # noqa: E402
from aramega.stages.segment.spans import join, runs_at_least  # noqa: E402
from benchmarks.segmentation import Edges, Segmenter, silero, webrtc  # noqa: E402

DATA = "ARAMEGA_REAL_SOUND"
LONG_ENOUGH = 20.0
"""Seconds: shorter recordings can hardly make a passage, and count for speech only."""
CUT_UP = {"omani_tv_transcribed": r"/(v\d+)l", "eyase_tvdrama": r"/(\w+?)-"}
"""Sets of single lines, and what in a line's path names the recording it was cut from."""
BARS = ("adi5_aljazeera", "masc_lectures", "omani_tv_transcribed", "adhkar_hisn", "poetry")
NO_SPEECH = ("music_noise",)
MOST_MUSIC = 1.2


@dataclass(frozen=True)
class Clip:
    name: str
    audio: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.audio) / RATE


@dataclass
class Score:
    """Seconds, summed over a set."""

    seconds: float = 0.0
    silero: float = 0.0
    found: float = 0.0
    shared: float = 0.0
    """Found by both."""
    long_found: float = 0.0
    long_in_passages: float = 0.0
    took: float = 0.0


# --- sound ----------------------------------------------------------------------------------------------------------


def recordings(folder: Path) -> dict[str, list[Clip]]:
    """Each set's recordings; the lines of one recording are joined with pauses."""
    paths: dict[str, dict[str, list[Path]]] = {}
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            pattern = CUT_UP.get(row["set"])
            match = re.search(pattern, row["path"]) if pattern else None
            name = match.group(1) if match else row["path"]
            paths.setdefault(row["set"], {}).setdefault(name, []).append(folder / row["path"])
    return {
        kind: [Clip(name, joined_with_pauses([read(p) for p in sorted(parts)])) for name, parts in names.items()]
        for kind, names in paths.items()
    }


def read(path: Path) -> np.ndarray:
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<f4")


def joined_with_pauses(lines: list[np.ndarray], seed: int = 5) -> np.ndarray:
    """Lines one after another, with pauses of 0.3 to 1.2 s as people leave them, filled with the lines' own room noise.

    A pause is as loud as the quietest tenth of the frames of the line before it: true silence is easy to find.
    """
    rng = np.random.default_rng(seed)
    pieces: list[np.ndarray] = []
    for i, line in enumerate(lines):
        pieces.append(line)
        if i + 1 < len(lines):
            frames = line[: len(line) // HOP * HOP].reshape(-1, HOP)
            level = np.percentile(np.sqrt((frames**2).mean(axis=1)), 10) if len(frames) else 0.0
            pieces.append(rng.standard_normal(int(rng.uniform(0.3, 1.2) * RATE)) * level)
    return np.concatenate(pieces).astype(np.float32)


# --- segmenters -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """What a segmenter makes of one recording."""

    speech: Edges
    in_passages: Edges


def ours(audio: np.ndarray) -> Heard:
    analyzer, config, options = FrameAnalyzer(), SegmentConfig(), PassagesConfig()
    analyzer.feed(audio)
    table = analyzer.finish()
    spans = find_spans(table, config)
    speech = [(s.start, s.end) for s in plan_segments(spans, table, config)]
    return Heard(speech, passages(speech, spans, options, len(audio) / RATE))


def passages(speech: Edges, spans: list[Span], options: PassagesConfig, seconds: float) -> Edges:
    """The speech that our passages would hold."""
    segments = [Segment(id=str(i), recording="r", start=a, end=b) for i, (a, b) in enumerate(speech)]
    return [(s.start, s.end) for run in plan_passages(segments, spans, options, seconds) for s in run]


def energy(audio: np.ndarray) -> Edges:
    """Frames within 30 dB of the loud ones; gaps under 0.3 s filled, bursts under 0.2 s dropped."""
    frames = audio[: len(audio) // HOP * HOP].reshape(-1, HOP)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    loud = (level > np.percentile(level, 95) - 30).astype(np.uint8) if len(level) else np.zeros(0, np.uint8)
    runs = join(runs_at_least(loud, 1), int(0.3 * FRAMES_PER_SECOND))
    return [(a / FRAMES_PER_SECOND, b / FRAMES_PER_SECOND) for a, b in runs if b - a >= 0.2 * FRAMES_PER_SECOND]


def alone(segment: Segmenter) -> Callable[[np.ndarray], Heard]:
    """A rival's speech, put into passages by our rules, with no music known."""

    def hear(audio: np.ndarray) -> Heard:
        speech = segment(audio)
        return Heard(speech, passages(speech, [], PassagesConfig(), len(audio) / RATE))

    return hear


# --- scores ---------------------------------------------------------------------------------------------------------


def mask(spans: Edges, seconds: float) -> np.ndarray:
    covered = np.zeros(int(seconds * 100) + 1, bool)
    for a, b in spans:
        covered[round(a * 100) : round(b * 100)] = True
    return covered


def add(score: Score, clip: Clip, heard: Heard, yardstick: np.ndarray) -> None:
    found = mask(heard.speech, clip.seconds)
    score.seconds += clip.seconds
    score.silero += yardstick.sum() / 100
    score.found += found.sum() / 100
    score.shared += (found & yardstick).sum() / 100
    if clip.seconds >= LONG_ENOUGH:
        score.long_found += found.sum() / 100
        score.long_in_passages += (found & mask(heard.in_passages, clip.seconds)).sum() / 100


def measure(clips: list[Clip], segmenters: dict[str, Callable[[np.ndarray], Heard]]) -> dict[str, Score]:
    scores = {name: Score() for name in segmenters}
    for clip in clips:
        yardstick = None
        for name, hear in segmenters.items():  # silero first
            started = time.perf_counter()
            heard = hear(clip.audio)
            scores[name].took += time.perf_counter() - started
            yardstick = mask(heard.speech, clip.seconds) if yardstick is None else yardstick
            add(scores[name], clip, heard, yardstick)
    return scores


def line(kind: str, name: str, s: Score) -> str:
    inside = s.long_in_passages / s.long_found if s.long_found else float("nan")
    return (
        f"{kind:22} {name:12} {s.seconds / 60:7.1f} {s.found / 60:7.2f} {s.shared / max(s.silero, 1e-9):7.3f} "
        f"{inside:12.3f} {s.found / max(s.silero, 1e-9):13.2f} {60 * s.took / max(s.seconds, 1e-9):8.3f}"
    )


def verdicts(scores: dict[str, Score]) -> Iterator[str]:
    """What is asked of each set, and what was seen."""
    for kind, s in scores.items():
        if kind in NO_SPEECH:
            yield f"{kind:22} at most {MOST_MUSIC} x silero's: {s.found / max(s.silero, 1e-9):.2f}"
        elif kind in BARS:
            inside = s.long_in_passages / max(s.long_found, 1e-9)
            yield f"{kind:22} kept {s.shared / max(s.silero, 1e-9):.3f} (0.97), in passages {inside:.3f} (0.95)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get(DATA), help=f"default: the variable {DATA}")
    parser.add_argument("--sets", help="comma-separated; default: all")
    args = parser.parse_args()
    if not args.data or not (args.data / "index.csv").exists():
        print(f"skipped: no real recordings here. Give a folder with an index.csv as --data or in {DATA}.")
        return

    segmenters = {"silero-vad": alone(silero()), "aramega": ours, "webrtcvad 3": alone(webrtc), "energy": alone(energy)}
    print(
        f"{'set':22} {'segmenter':12} {'min':>7} {'found':>7} {'kept':>7} {'in passages':>12} {'found/silero':>13} {'s/min':>8}"
    )
    seen: dict[str, Score] = {}
    for kind, clips in recordings(args.data).items():
        if args.sets and kind not in args.sets.split(","):
            continue
        scores = measure(clips, segmenters)
        seen[kind] = scores["aramega"]
        for name, score in scores.items():
            print(line(kind, name, score), flush=True)
    print("\naramega, and what is asked:")
    print("\n".join(verdicts(seen)))


if __name__ == "__main__":
    main()
