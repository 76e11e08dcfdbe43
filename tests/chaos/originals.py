"""Originals: a second and a half of speech in every dress that mutants are made from.

ffmpeg makes them once a run, bit for bit the same each time, so that a mutant's number is enough to make it again.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from aramega.sample import BROADCAST

_BEGINS = "20"
"""Seconds into the sample at which somebody is speaking."""
_PICTURE = ["-f", "lavfi", "-i", "color=size=16x16:duration=0.1"]
_COVER = ["-map", "0:a", "-map", "1:v", "-frames:v", "1", "-c:v", "png", "-disposition:v", "attached_pic"]
_PAGES = ["-page_duration", "200000"]
_TAGS = ["-metadata", "title=نشرة الأخبار", "-metadata", "artist=x", "-metadata", "comment=y"]

DRESSES: dict[str, dict[str, list[str]]] = {
    "wav": {
        "sixteen.wav": ["-c:a", "pcm_s16le", *_TAGS],
        "float.wav": ["-c:a", "pcm_f32le", "-ar", "8000"],
        "extensible.wav": ["-c:a", "pcm_s24le", "-ac", "6", "-ar", "8000"],
        "adpcm.wav": ["-c:a", "adpcm_ms"],
        "rf64.wav": ["-c:a", "pcm_u8", "-rf64", "always"],
    },
    "mp3": {
        "xing.mp3": ["-q:a", "7", *_TAGS],
        "bare.mp3": ["-b:a", "32k", "-write_xing", "0", "-id3v2_version", "0"],
        "picture.mp3": [*_PICTURE, *_COVER, "-b:a", "32k", "-id3v2_version", "3", *_TAGS],
        "stereo.mp3": ["-b:a", "96k", "-ar", "44100", "-ac", "2", "-write_id3v1", "1", "-id3v2_version", "4", *_TAGS],
    },
    "ogg": {
        "vorbis.ogg": ["-c:a", "libvorbis", "-q:a", "0", *_PAGES, *_TAGS],
        "opus.ogg": ["-c:a", "libopus", "-b:a", "24k", *_PAGES, *_TAGS],
        "opus51.ogg": ["-c:a", "libopus", "-b:a", "96k", "-ac", "6", *_PAGES],
        "flac.ogg": ["-c:a", "flac", "-ar", "8000"],
    },
    "mp4": {
        "last.m4a": ["-c:a", "aac", "-b:a", "32k", *_TAGS],
        "first.m4a": ["-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart", *_TAGS],
        "fragments.mp4": ["-c:a", "aac", "-b:a", "32k", "-movflags", "+frag_keyframe+empty_moov"],
        "video.mp4": [*_PICTURE, "-map", "0:a", "-map", "1:v", "-c:v", "mpeg4", "-c:a", "aac", "-b:a", "32k"],
        "alac.m4a": ["-c:a", "alac", "-ar", "8000"],
    },
    "flac": {
        "plain.flac": ["-c:a", "flac", *_TAGS],
        "deep.flac": ["-c:a", "flac", "-sample_fmt", "s32", "-ar", "8000"],
        "picture.flac": [*_PICTURE, *_COVER, "-c:a", "flac", "-ar", "8000"],
    },
}
"""What ffmpeg is told for each original, by format."""

Originals = dict[str, list[bytes]]


def make_originals(folder: Path, kinds: Iterable[str] = tuple(DRESSES)) -> Originals:
    """The originals of these formats."""
    return {kind: [_dress(folder / name, options) for name, options in DRESSES[kind].items()] for kind in kinds}


def _dress(path: Path, options: list[str]) -> bytes:
    inputs = ["-ss", _BEGINS, "-t", "1.5", "-i", str(BROADCAST)]
    rate = [] if "-ar" in options else ["-ar", "16000"]
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact"]
    at = 4 if options[:1] == ["-f"] else 0  # a second input comes before the options of the output
    command = ["ffmpeg", "-v", "error", "-y", *inputs, *options[:at], *exact, *rate, *options[at:], str(path)]
    subprocess.run(command, check=True)
    return path.read_bytes()
