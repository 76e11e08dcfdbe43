"""Subtitles at hand: a broadcaster's own text, read from beside the recording.

SubRip, WebVTT, and the JSON that Whisper's tools write. They are other people's files: markup is taken
out, times that run backwards and cues that overlap are put in order, and a file that is none of these is
named with what was wrong in it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from aramega.records import AramegaError
from aramega.stages.transcribe.windows import Stretch
from aramega.text import clean

SUFFIXES = (".srt", ".vtt", ".ar.srt", ".ar.vtt", ".json")

_TIMES = re.compile(r"((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})\s*-->\s*((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def find_subtitles(paths: Sequence[str], named: str = "") -> Path | None:
    """The subtitles of a recording: the file its manifest names, else one of the recording's own name."""
    if named:
        path = Path(named)
        if not path.is_file():
            raise AramegaError(f"{named}: the manifest names these subtitles, and there is no such file.")
        return path
    beside = (Path(path).with_suffix(suffix) for path in paths for suffix in SUFFIXES)
    return next((path for path in beside if path.is_file()), None)


@lru_cache(maxsize=64)
def read_subtitles(path: Path) -> tuple[Stretch, ...]:
    """The cues in order of time; an hour of them is read once for all its passages."""
    try:
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
        said = []
        while i < len(lines) and lines[i].strip() and not _TIMES.search(lines[i]):
            said.append(lines[i])
            i += 1
        yield Stretch(_seconds(times[1]), _seconds(times[2]), _plain(" ".join(said)))


def _from_json(text: str, path: Path) -> Iterator[Stretch]:
    try:
        told = json.loads(text)
        for cue in told["segments"] if isinstance(told, dict) else told:
            yield Stretch(float(cue["start"]), float(cue["end"]), _plain(str(cue["text"])))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
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
