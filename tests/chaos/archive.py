"""The recordings the storms fall on: few and short, but of every kind, and through every stage of a build."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

from tests.support.synth.voices import WORDS
from tests.support.whisper_models import save_random_whisper

CUTS = {"one.mp3": (0, 45), "two.wav": (45, 40), "three.flac": (85, 50), "four.mp3": (135, 30), "heard.wav": (170, 20)}
"""Stretches of the sample broadcast: first second and length."""
BROKEN, TWIN, HEARD = "broken.mp3", "twin.mp3", "heard.wav"


def make_archive(folder: Path, broadcast: Path) -> Path:
    """Recordings in three formats, a broken one, one there twice, and one without subtitles, so that Whisper hears it."""
    folder.mkdir(parents=True)
    for name, (start, seconds) in CUTS.items():
        cut = ["ffmpeg", "-v", "error", "-ss", str(start), "-i", broadcast, "-t", str(seconds), folder / name]
        subprocess.run([str(part) for part in cut], check=True)
        if name != HEARD:
            _write_subtitles(folder / name, seconds)
    (folder / BROKEN).write_bytes(random.Random(0).randbytes(20_000))
    shutil.copyfile(folder / "one.mp3", folder / TWIN)
    save_random_whisper(folder / "tiny.pt", width=16)
    return folder


def build_options(archive: Path, *, hears: bool) -> list[str]:
    """Passages short enough for a storm to find many, drafts from subtitles and, if it `hears`, a toy Whisper where
    there are none; overviews too."""
    changes = [
        "passages.min_seconds=4",
        "passages.target_seconds=8",
        "passages.max_seconds=30",
        f"transcribe.model={archive / 'tiny.pt' if hears else 'subtitles'}",
        "transcribe.at_hand=prefer",
        "transcribe.temperatures=[0.0]",
        "transcribe.max_tokens=8",
        "transcribe.threads=1",
        "overview.enabled=true",
    ]
    return [part for change in changes for part in ("--set", change)]


def _write_subtitles(recording: Path, seconds: int) -> None:
    rng = random.Random(recording.name)
    cues = (
        f"{n}\n00:{t // 60:02d}:{t % 60:02d},000 --> 00:{(t + 3) // 60:02d}:{(t + 3) % 60:02d},000\n"
        f"{' '.join(rng.choices(WORDS, k=6))}\n"
        for n, t in enumerate(range(0, seconds, 3))
    )
    recording.with_suffix(".srt").write_text("\n".join(cues), encoding="utf-8")
