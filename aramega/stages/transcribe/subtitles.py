"""Subtitles at hand: a broadcaster's own text, read from beside the recording.

SubRip, WebVTT, and the JSON that Whisper's tools write. They are other people's files: markup is taken
out, and times that run backwards and cues that overlap are put in order. A file that a manifest names must
be one of these; one that only lies beside the recording under its name may be anybody's (a downloader's, a
player's), and is passed over with a note.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aramega.display import visible
from aramega.errors import AramegaError
from aramega.stages.transcribe.windows import Stretch
from aramega.text import clean

SUFFIXES = (".srt", ".vtt", ".ar.srt", ".ar.vtt", ".json")
_MOST_BYTES = 200_000_000
"""A day's transcript with a time for each word has a quarter of this."""

_TIMES = re.compile(r"((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})\s*-->\s*((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True)
class Subtitles:
    """What there is for a recording; no cues where there is no file, or none that can be used."""

    cues: tuple[Stretch, ...] | None = None
    note: str = ""
    """Which files of the recording's name were passed over, and why."""


def find_subtitles(paths: Sequence[str], named: str = "") -> Subtitles:
    """The subtitles of a recording: those its manifest names, else the first usable ones of the recording's own name."""
    if named:
        if not Path(named).is_file():
            raise AramegaError(f"{named}: the manifest names these subtitles, and there is no such file.")
        return Subtitles(read_subtitles(Path(named)))
    notes: list[str] = []
    beside = (Path(path).with_suffix(suffix) for path in paths for suffix in SUFFIXES)
    for path in beside:
        if path.is_file():
            cues, why = _try_to_read(path)
            if cues:
                return Subtitles(cues, "; ".join(notes))
            notes.append(why)
    return Subtitles(None, "; ".join(notes))


@lru_cache(maxsize=64)
def _try_to_read(path: Path) -> tuple[tuple[Stretch, ...], str]:
    """The cues, or what is wrong: looked into once for all the recording's passages."""
    try:
        return read_subtitles(path), ""
    except AramegaError as error:
        why = str(error).removeprefix(f"{path}: ").partition(" Remove it,")[0].rstrip(".")
        return (), visible(f"{path} passed over: {why}", 400)


@lru_cache(maxsize=64)
def read_subtitles(path: Path) -> tuple[Stretch, ...]:
    """The cues in order of time; an hour of them is read once for all its passages."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AramegaError(f"{path}: too large for subtitles ({path.stat().st_size / 1e6:,.0f} MB).")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{path}: these subtitles can't be read ({error}). Save them as UTF-8.") from None
    cues = list(_from_json(text, path) if path.suffix == ".json" else _from_blocks(text))
    if not cues:
        raise AramegaError(
            f"{path}: no subtitles found in it (.srt and .vtt have lines like 00:00:01,000 --> 00:00:02,500; .json has "
            "`segments` with start, end and text). Remove it, or --set transcribe.at_hand=ignore."
        )
    return tuple(sorted((c for c in cues if c.end > c.start and c.text), key=lambda c: c.start))


def _from_blocks(text: str) -> Iterator[Stretch]:
    """SubRip and WebVTT differ in their heads and in a comma."""
    lines = text.replace("\r", "").split("\n")
    i = 0
    while i < len(lines):
        times = _TIMES.search(lines[i])
        i += 1
        if not times:
            continue
        spoken = []
        while i < len(lines) and lines[i].strip() and not _TIMES.search(lines[i]):
            spoken.append(lines[i])
            i += 1
        yield Stretch(_seconds(times[1]), _seconds(times[2]), _plain(" ".join(spoken)))


def _from_json(text: str, path: Path) -> Iterator[Stretch]:
    try:
        content = json.loads(text)
        for cue in content["segments"] if isinstance(content, dict) else content:
            yield Stretch(float(cue["start"]), float(cue["end"]), _plain(str(cue["text"])))
    except (ArithmeticError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AramegaError(
            f"{path}: not a transcript as Whisper's tools write it ({type(error).__name__}: {error}). "
            "Remove it, or --set transcribe.at_hand=ignore."
        ) from None


def _seconds(clock: str) -> float:
    seconds = 0.0
    for part in clock.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _plain(text: str) -> str:
    return " ".join(clean(html.unescape(_MARKUP.sub("", text))).split())
