"""SubRip subtitles: what a player shows over the recording, cue by cue."""

from __future__ import annotations

from collections.abc import Iterator

from aramega.export.contents import Contents, Unit
from aramega.records import milliseconds


def srt_cues(contents: Contents, unit: Unit) -> Iterator[str]:
    for number, stretch in enumerate(contents.stretches(unit), start=1):
        # Some players take any `-->` for a line of times.
        text = contents.label(stretch).replace("-->", "→")
        yield f"{number}\n{_clock(stretch.start)} --> {_clock(stretch.end)}\n{text}\n\n"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(milliseconds(seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
