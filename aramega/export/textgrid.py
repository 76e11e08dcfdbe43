"""Praat's TextGrid, in its long text form: timeline, segments and passages as three tiers, and words as a fourth where they have times.

An interval tier must cover all of the time without gap or overlap, so what lies between two segments is
an interval without text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aramega.export.contents import Contents, decimal
from aramega.records import milliseconds, on_grid
from aramega.settle.word_times import TimedWord

Interval = tuple[float, float, str]


def textgrid(contents: Contents) -> Iterator[str]:
    """The file's text, piece by piece."""
    tiers: dict[str, list[Interval]] = {
        "timeline": [(s.start, s.end, s.kind) for s in contents.spans],
        "segments": [(s.start, s.end, contents.label(s)) for s in contents.segments],
        "passages": [(p.start, p.end, p.id) for p in contents.passages],
    }
    if words := [word for segment in contents.segments for word in contents.words(segment)]:
        tiers["words"] = [*_apart(words)]
    last = max([on_grid(contents.recording.seconds), *(end for tier in tiers.values() for _, end, _ in tier[-1:])])
    yield 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
    yield f"xmin = 0\nxmax = {decimal(last)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    for number, (name, intervals) in enumerate(tiers.items(), start=1):
        yield f"    item [{number}]:\n"
        yield from _tier(name, fill_gaps(intervals, last), last)


def _apart(words: Iterable[TimedWord]) -> Iterator[Interval]:
    """Words in order, none of which begins before the last has ended: a recognizer's may, by some hundredths."""
    at = 0.0
    for word in words:
        start = max(at, word.start)
        if milliseconds(word.end) > milliseconds(start):
            yield start, word.end, word.text
            at = word.end


def fill_gaps(intervals: Iterable[Interval], last: float) -> list[Interval]:
    """`intervals`, which come in order, with empty ones between them, from 0 to `last`. A gap that is shorter than what
    the file can say is none."""
    filled: list[Interval] = []
    at = 0.0
    for start, end, text in intervals:
        if milliseconds(start) > milliseconds(at):
            filled.append((at, start, ""))
        filled.append((start, end, text))
        at = end
    if milliseconds(at) < milliseconds(last):
        filled.append((at, last, ""))
    return filled


def _tier(name: str, intervals: list[Interval], last: float) -> Iterator[str]:
    yield f'        class = "IntervalTier"\n        name = "{name}"\n        xmin = 0\n        xmax = {decimal(last)}\n'
    yield f"        intervals: size = {len(intervals)}\n"
    for number, (start, end, text) in enumerate(intervals, start=1):
        quoted = text.replace('"', '""')
        yield f"        intervals [{number}]:\n            xmin = {decimal(start)}\n"
        yield f'            xmax = {decimal(end)}\n            text = "{quoted}"\n'
