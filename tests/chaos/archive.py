"""The recordings the storms fall on: few and short, but of every kind, and through every stage of a build."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.recordings import cut
from tests.support.synth.voices import WORDS
from tests.support.whisper_models import save_random_whisper

CUTS = {"one.mp3": (0, 45), "two.wav": (45, 40), "three.flac": (85, 50), "four.mp3": (135, 30), "heard.wav": (170, 20)}
"""Stretches of the sample broadcast: first second and length."""
BROKEN, TWIN, HEARD, LONG = "broken.mp3", "twin.mp3", "heard.wav", "long.flac"
LONG_SECONDS = 1210
"""Two of the ten-minute ranges that workers share a recording in."""


def make_archive(folder: Path, broadcast: Path) -> Path:
    """Recordings in three formats: a broken one, one there twice, one without subtitles, so that Whisper hears it, and a
    long one, mostly silence, that workers share."""
    folder.mkdir(parents=True)
    for name, (start, seconds) in CUTS.items():
        cut(broadcast, start, seconds, folder / name)
        if name != HEARD:
            _write_subtitles(folder / name, seconds)
    _make_long(folder / LONG, folder / "one.mp3", folder / "four.mp3")
    (folder / BROKEN).write_bytes(random.Random(0).randbytes(20_000))
    for suffix in (".mp3", ".srt"):  # had the copies other subtitles, those of the copy read first would count
        shutil.copyfile((folder / "one.mp3").with_suffix(suffix), (folder / TWIN).with_suffix(suffix))
    save_random_whisper(folder / "tiny.pt", width=16)
    return folder


def _make_long(path: Path, first: Path, last: Path) -> None:
    """Speech in its first minute, and in the minutes about its border."""
    mix = f"[1]adelay=580000[b];[0][b]amix=inputs=2:duration=longest:normalize=0,apad=whole_dur={LONG_SECONDS}"
    mixed = ["ffmpeg", "-v", "error", "-i", first, "-i", last, "-filter_complex", mix, "-ar", "16000", path]
    subprocess.run([str(part) for part in mixed], check=True)
    _write_subtitles(path, LONG_SECONDS)


def build_options(archive: Path, *, hears: bool) -> list[str]:
    """Passages short enough for a storm to find many, drafts from subtitles and, if it `hears`, a toy Whisper where
    there are none; overviews too."""
    changes = [
        "ingest.range_minutes=10",
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


def upload_archive(archive: Path, store: Any, folder: str) -> Path:
    """The recordings in an object store; gives a manifest that says where they and their subtitles are."""
    manifest, rows = archive / "on_s3.csv", ["path,transcript"]
    for path in sorted(archive.iterdir()):
        if path.suffix in (".mp3", ".wav", ".flac"):
            store.put_file(str(path), f"{folder}/{path.name}")
            subtitles = path.with_suffix(".srt")
            rows.append(f"s3://{folder}/{path.name},{subtitles if subtitles.exists() else ''}")
    manifest.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return manifest


def _write_subtitles(recording: Path, seconds: int) -> None:
    rng = random.Random(recording.name)
    cues = (
        f"{n}\n00:{t // 60:02d}:{t % 60:02d},000 --> 00:{(t + 3) // 60:02d}:{(t + 3) % 60:02d},000\n"
        f"{' '.join(rng.choices(WORDS, k=6))}\n"
        for n, t in enumerate(range(0, seconds, 3))
    )
    recording.with_suffix(".srt").write_text("\n".join(cues), encoding="utf-8")
