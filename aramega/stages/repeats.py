"""Repeats: what of a recording was heard before, in the recordings that were read before it or earlier in itself.

The first copy counts. "Before" is when a frame table was written, and between two of one moment the lower id, so that
two copies that are read at once never call each other a repeat; which of them is first may be chance.

Only a long repeat is left out of the passages, and one that comes again and again: a jingle, an advertisement. A short
one, such as a politician's sentence within another report, stays where it is and is only noted.

What it does not do: compare with recordings whose frame tables lie on other machines, or were made by a version that
knew no landmarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar
from zipfile import BadZipFile

from aramega.audio.landmarks import Landmarks
from aramega.audio.repeats import Match, find_matches
from aramega.audio.table import load_landmarks
from aramega.config import RepeatsConfig
from aramega.records import Part, Repeat, Segment, SegmentedRecording, Span
from aramega.records.recordings import Passage
from aramega.stages.base import Takes
from aramega.stages.names import INGEST, REPEATS, SEGMENT
from aramega.stages.passages import Passages
from aramega.stages.plugin import PluginStage

_landmarks_of: dict[Path, tuple[int, Landmarks]] = {}
"""What this worker has read, with the file's time: 80 kB an hour of archive."""

_COVERED = 0.5
"""Of a segment, from which it belongs to a repeat."""


class Repeats(PluginStage[SegmentedRecording]):
    name = REPEATS
    version = 1
    takes = Takes.RECORDING
    counts = "recording"
    after = (INGEST,)
    parts = Part(0)

    options: RepeatsConfig

    def values(self, item: SegmentedRecording) -> Mapping[str, Any]:
        table = self.workspace.frames(item.id)
        self.workspace.bring(table)
        matches = find_matches(
            load_landmarks(table), self._earlier(table), own_id=item.id, min_seconds=self.options.min_seconds
        )
        return {"repeats": [asdict(repeat) for repeat in choose_originals(matches, self.options)]}

    def _earlier(self, own: Path) -> Iterator[tuple[str, Landmarks]]:
        """The recording itself and all that were read before it, the oldest first."""
        tables = sorted((path.stat().st_mtime_ns, path.stem, path) for path in own.parent.parent.glob("*/*.npz"))
        for time, name, path in tables:
            if landmarks := _read(path, time):
                yield name, landmarks
            if path == own:
                return


def _read(path: Path, time: int) -> Landmarks | None:
    """A table's landmarks; nothing of one that is broken or has gone meanwhile, which its own stage reports."""
    if path not in _landmarks_of or _landmarks_of[path][0] != time:
        try:
            _landmarks_of[path] = (time, load_landmarks(path))
        except (OSError, ValueError, KeyError, BadZipFile):
            return None
    return _landmarks_of[path][1]


def choose_originals(matches: Sequence[Match], options: RepeatsConfig) -> list[Repeat]:
    """The stretches that are repeats, in order and none over another: the longest first, and of equal ones the
    oldest."""
    chosen: list[Repeat] = []
    for match in sorted(matches, key=lambda match: -round(match.seconds)):
        start, end = _uncovered(match, chosen)
        if end - start < options.min_seconds:
            continue
        times = sum(min(end, other.end) - max(start, other.start) >= 0.8 * (end - start) for other in matches)
        speed = (match.of_end - match.of_start) / match.seconds
        of_start = round(match.of_start + speed * (start - match.start), 3)
        skipped = end - start >= options.skip_seconds or times >= options.jingle_times
        chosen.append(Repeat(start, end, match.of, of_start, round(speed, 4), times, skipped))
    return sorted(chosen, key=lambda repeat: repeat.start)


def _uncovered(match: Match, chosen: Sequence[Repeat]) -> tuple[float, float]:
    """The longest part of the match that no chosen repeat covers."""
    gaps = [(match.start, match.end)]
    for repeat in chosen:
        gaps = [
            part
            for start, end in gaps
            for part in ((start, min(end, repeat.start)), (max(start, repeat.end), end))
            if part[0] < part[1]
        ]
    return max(gaps, key=lambda gap: gap[1] - gap[0], default=(match.start, match.start))


class PassagesOfNews(Passages):
    """Passages of what was not heard before: segments in a repeat that is to be skipped are in none, and none reaches
    over it."""

    after: ClassVar[tuple[str, ...]] = (INGEST, SEGMENT, REPEATS)
    parts = Part.SEGMENTS | Part.TIMELINE | Part.REPEATS

    def run(self, item: SegmentedRecording) -> Sequence[Passage]:
        return super().run(without_repeats(item))


def without_repeats(item: SegmentedRecording) -> SegmentedRecording:
    """The recording as if there were only music where a repeat is skipped."""
    skipped = [repeat for repeat in item.repeats if repeat.skipped]
    if not skipped or not item.timeline:
        return item
    segments = tuple(segment for segment in item.segments if not is_repeated(segment, skipped))
    gone = [Span(repeat.start, repeat.end, "music") for repeat in skipped]
    spans = tuple(sorted((*item.timeline.spans, *gone), key=lambda span: (span.start, span.end)))
    return SegmentedRecording(
        item.recording, item.paths, type(item.timeline)(item.id, spans), segments, repeats=item.repeats
    )


def is_repeated(segment: Segment, repeats: Sequence[Repeat]) -> bool:
    """Whether most of the segment lies in one of the repeats."""
    return any(
        min(segment.end, repeat.end) - max(segment.start, repeat.start) >= _COVERED * segment.seconds
        for repeat in repeats
    )
