"""Windows: what a recognizer hears at once, and how what it heard is laid back on the segments.

Whisper's encoder costs the same for 2 s as for 30, so consecutive segments of a passage share a window,
with the pauses between them as they were: the model hears speech as it was spoken, and hears its context.
The price is that a phrase may reach over a pause into the next segment. It is then divided at word
boundaries by time, each word taking as long as its letters; with word timestamps nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from aramega.records import Segment, Word


@dataclass(frozen=True)
class Window:
    """Consecutive segments of one passage that are heard together; times are the recording's."""

    segments: tuple[Segment, ...]
    start: float
    end: float


@dataclass(frozen=True)
class Stretch:
    """Text between two times of the recording: a recognizer's phrase or a subtitle."""

    start: float
    end: float
    text: str
    tokens: tuple[int, ...] = ()
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Laid:
    """The part of some stretches that belongs to one segment."""

    text: str
    start: float
    end: float
    tokens: tuple[int, ...] = ()
    words: tuple[Word, ...] = ()
    divided: bool = False
    """Whether where it begins or ends is an estimate: a stretch reached over the segment's edge."""


def pack_windows(segments: Sequence[Segment], start: float, end: float, longest: float) -> list[Window]:
    """The fewest windows of at most `longest` seconds over the segments of a passage from `start` to `end`.

    Filling each window from the left gives the fewest; of the ways to cut at as few places, the longest
    pauses are not sought, since a cut lies in a pause anyway.
    """
    edges = _edges(segments, start, end)
    windows: list[Window] = []
    begin = 0
    for i in range(1, len(segments) + 1):
        if i == len(segments) or edges[i + 1][0] - edges[begin][1] > longest:
            windows.append(Window(tuple(segments[begin:i]), edges[begin][1], edges[i][0]))
            begin = i
    return windows


def single_windows(segments: Sequence[Segment], start: float, end: float) -> list[Window]:
    """A window for each segment, with the air around it that is not a neighbour's."""
    edges = _edges(segments, start, end)
    return [Window((s,), edges[i][1], edges[i + 1][0]) for i, s in enumerate(segments)]


def repack_missed(window: Window, missed: Collection[str], alone: Sequence[Window], longest: float) -> list[Window]:
    """Windows over those segments of `window` that came out without a word, neighbours together: what a decoder that
    stopped early left is heard as it was spoken. Where it left everything, each by itself: the same again is no help.

    `alone` holds a window for each segment of the passage.
    """
    if len(missed) == len(window.segments):
        return [w for w in alone if w.segments[0].id in missed]
    runs = [list(run) for is_missed, run in groupby(alone, lambda w: w.segments[0].id in missed) if is_missed]
    return [
        packed
        for run in runs
        for packed in pack_windows([w.segments[0] for w in run], run[0].start, run[-1].end, longest)
    ]


def lay_on_segments(stretches: Iterable[Stretch], segments: Sequence[Segment]) -> list[Laid | None]:
    """For each segment, in order, the text that was said in it; None where there is none."""
    parts: list[list[tuple[Stretch, bool]]] = [[] for _ in segments]
    for stretch in stretches:
        for i, part, divided in _divide(stretch, segments):
            parts[i].append((part, divided))
    return [_join(part) if part else None for part in parts]


def _edges(segments: Sequence[Segment], start: float, end: float) -> list[tuple[float, float]]:
    """Between every two segments, where the left one's sound ends and the right one's begins: at most 0.3 s of the
    pause each. More is silence, in which Whisper finds things to say."""
    inner = [
        (min(a.end + 0.3, (a.end + b.start) / 2), max(b.start - 0.3, (a.end + b.start) / 2))
        for a, b in pairwise(segments)
    ]
    return [(start, start), *inner, (end, end)]


def _divide(stretch: Stretch, segments: Sequence[Segment]) -> list[tuple[int, Stretch, bool]]:
    """The parts of a stretch by the segment they lie in."""
    touched = [i for i, s in enumerate(segments) if _overlap(stretch.start, stretch.end, s) > _TOUCH]
    if not touched:
        return [(_nearest(stretch, segments), stretch, False)] if segments else []
    if len(touched) == 1:
        return [(touched[0], stretch, False)]
    words = stretch.words or tuple(_spread(stretch, [segments[i] for i in touched]))
    parts: list[tuple[int, Stretch, bool]] = []
    for i in touched:
        mine = [w for w in words if _home(w, segments, touched) == i]
        if mine:
            timed = tuple(mine) if stretch.words else ()
            text = " ".join(w.text for w in mine)
            # A token does not know where its word ends up; the whole phrase's stay with its first part.
            tokens = stretch.tokens if not parts else ()
            parts.append((i, Stretch(mine[0].start, mine[-1].end, text, tokens, timed), not stretch.words))
    return parts


_TOUCH = 0.1
"""A stretch that reaches less than this far into a segment, in seconds, does so by the clock's error: Whisper's
timestamps are good to a tenth of a second or two."""


def _spread(stretch: Stretch, segments: Sequence[Segment]) -> list[Word]:
    """Guess when each word was said: through the speech of the segments, each word by its letters."""
    spans = [(max(s.start, stretch.start), min(s.end, stretch.end)) for s in segments]
    speech = sum(b - a for a, b in spans)
    texts = stretch.text.split()
    letters = sum(len(t) for t in texts) or 1
    words, letters_before = [], 0
    for text in texts:
        begin = _at(spans, speech * letters_before / letters)
        letters_before += len(text)
        words.append(Word(text, begin, _at(spans, speech * letters_before / letters), 0.0))
    return words


def _at(spans: Sequence[tuple[float, float]], into: float) -> float:
    """The time `into` seconds of speech from the beginning of the first span."""
    for a, b in spans:
        if into <= b - a:
            return a + into
        into -= b - a
    return spans[-1][1]


def _home(word: Word, segments: Sequence[Segment], touched: Sequence[int]) -> int:
    middle = (word.start + word.end) / 2
    return min(touched, key=lambda i: max(segments[i].start - middle, middle - segments[i].end, 0.0))


def _nearest(stretch: Stretch, segments: Sequence[Segment]) -> int:
    middle = (stretch.start + stretch.end) / 2
    return min(range(len(segments)), key=lambda i: max(segments[i].start - middle, middle - segments[i].end, 0.0))


def _overlap(start: float, end: float, segment: Segment) -> float:
    return min(end, segment.end) - max(start, segment.start)


def _join(parts: Sequence[tuple[Stretch, bool]]) -> Laid:
    stretches = [stretch for stretch, _ in parts]
    return Laid(
        text=" ".join(s.text for s in stretches),
        start=stretches[0].start,
        end=stretches[-1].end,
        tokens=tuple(t for s in stretches for t in s.tokens),
        words=tuple(w for s in stretches for w in s.words),
        divided=any(divided for _, divided in parts),
    )
