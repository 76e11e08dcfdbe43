"""Voices: who says the sentences, and the cache that keeps what they said.

espeak-ng's Arabic in its variants, at drawn speeds and pitches, fills a cache once: training then reads int16 audio from
one memory-mapped file instead of paying for synthesis at each step. Real voices are the recorded words of the Arabic
Speech Commands Dataset, strung together with short gaps; they are small enough to be held in memory.
Voices and speakers of the evaluation never train.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from recipes.demo_asr.sentences import draw_training_text, is_held_out

RATE = 16_000
TRAINING_VARIANTS = (
    "",
    "+m1",
    "+m2",
    "+m3",
    "+m5",
    "+m6",
    "+m8",
    "+f1",
    "+f2",
    "+f4",
    "+f5",
    "+anika",
    "+adam",
    "+steph",
)
HELD_OUT_VARIANTS = ("+m4", "+m7", "+f3", "+linda")


@dataclass(frozen=True)
class Clip:
    """Speech with nothing silent at its ends, and its words."""

    audio: np.ndarray  # float32, 16 kHz
    text: str


@dataclass(frozen=True)
class Voice:
    variant: str
    speed: int  # words a minute, as espeak-ng counts them
    pitch: int  # 0 to 99


def draw_voice(rng: random.Random, variants: Sequence[str]) -> Voice:
    return Voice(rng.choice(variants), rng.randint(125, 185), rng.randint(25, 75))


def speak(text: str, voice: Voice) -> Clip:
    """`text` by espeak-ng, trimmed."""
    command = [
        "espeak-ng",
        "-v",
        f"ar{voice.variant}",
        "-s",
        str(voice.speed),
        "-p",
        str(voice.pitch),
        "--stdout",
        text,
    ]
    wave = subprocess.run(command, capture_output=True, check=True).stdout
    audio, rate = soundfile.read(io.BytesIO(wave), dtype="float32")
    return Clip(trim(resample_poly(audio, RATE, rate).astype(np.float32)), text)


def trim(audio: np.ndarray, *, below_db: float = 35.0) -> np.ndarray:
    """Cut 10 ms frames from both ends that are `below_db` quieter than the loudest one."""
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    if not len(frames):
        return audio[:0]
    level = 20 * np.log10(np.sqrt((frames**2).mean(1)) + 1e-7)
    loud = np.flatnonzero(level > level.max() - below_db)
    return audio[loud[0] * 160 : (loud[-1] + 1) * 160]


class RecordedSpeaker:
    """One real person's recorded words; an utterance strings some of them together."""

    def __init__(self, name: str, clips: Sequence[Clip]) -> None:
        self.name, self.clips = name, clips

    def utterance(self, rng: random.Random, count: int) -> Clip:
        """`count` words, in an order that is not held out."""
        chosen = [rng.choice(self.clips) for _ in range(count)]
        while is_held_out(" ".join(clip.text for clip in chosen)):
            chosen = [rng.choice(self.clips) for _ in range(count)]
        return string_together(chosen, rng)


def string_together(clips: Sequence[Clip], rng: random.Random) -> Clip:
    """One clip with short gaps between its parts, each brought to the same loudness, as broadcasts are levelled."""
    parts: list[np.ndarray] = []
    for clip in clips:
        parts += [clip.audio * (0.1 / (np.sqrt((clip.audio**2).mean()) + 1e-6))]
        parts += [np.zeros(int(rng.uniform(0.04, 0.2) * RATE), np.float32)]
    return Clip(np.concatenate(parts[:-1]), " ".join(clip.text for clip in clips))


def recorded_speakers(folder: Path, split: str) -> list[RecordedSpeaker]:
    """The speakers of one split ("train", "validation") of a folder with an index.csv."""
    clips: dict[str, list[Clip]] = {}
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                audio, rate = soundfile.read(folder / row["path"], dtype="float32")
                audio = trim(audio if rate == RATE else resample_poly(audio, RATE, rate).astype(np.float32))
                if len(audio) >= RATE // 10:
                    clips.setdefault(row["speaker"], []).append(Clip(audio, row["text"]))
    return [RecordedSpeaker(name, clips[name]) for name in sorted(clips)]


class SpeechCache:
    """Synthetic utterances in one int16 file, with an index of where each lies and what it says."""

    def __init__(self, folder: Path) -> None:
        entries = map(json.loads, (folder / "index.jsonl").read_text(encoding="utf-8").splitlines())
        # Looked at again: a cache may be older than the list of what is held out.
        self.index = [entry for entry in entries if not is_held_out(entry["text"])]
        self.samples = np.memmap(folder / "speech.int16", np.int16, mode="r")

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> Clip:
        entry = self.index[number]
        samples = self.samples[entry["start"] : entry["start"] + entry["length"]]
        return Clip(samples.astype(np.float32) / 32768, entry["text"])


def fill_cache(folder: Path, *, utterances: int, seed: int = 0, processes: int = 2) -> None:
    """Synthesize the training cache; a finished one is left as it is."""
    if (folder / "index.jsonl").exists():
        return
    rng = random.Random(seed)
    wanted = [(draw_training_text(rng), draw_voice(rng, TRAINING_VARIANTS)) for _ in range(utterances)]
    with ProcessPoolExecutor(processes) as pool:
        write_cache(folder, pool.map(speak, *zip(*wanted, strict=True), chunksize=64))


def write_cache(folder: Path, clips: Iterable[Clip]) -> None:
    """Write the clips into one file of samples, and an index of them."""
    folder.mkdir(parents=True, exist_ok=True)
    start, entries = 0, []
    with (folder / "speech.int16").open("wb") as file:
        for clip in clips:
            samples = (np.clip(clip.audio, -1, 1) * 32767).astype(np.int16)
            file.write(samples.tobytes())
            entries.append({"start": start, "length": len(samples), "text": clip.text})
            start += len(samples)
    # The index is the mark that all is there, so it comes last and at once.
    lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    (folder / "index.jsonl.new").write_text(lines, encoding="utf-8")
    os.replace(folder / "index.jsonl.new", folder / "index.jsonl")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fill the cache of synthetic speech.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--utterances", type=int, default=20_000)
    options = parser.parse_args()
    fill_cache(options.folder, utterances=options.utterances)
