"""When words were said that people corrected: unchanged words keep the times the recognizer gave them.

What was changed takes the time between its unchanged neighbours, each word as much of it as it has letters. Such times
are worked out and not heard: their probability is None, so that nobody takes them for measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from aramega.records import Word
from aramega.settle.word_diff import word_key


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and when it was said, in seconds of the recording."""

    text: str
    start: float
    end: float
    probability: float | None
    """Of the recognizer; None where the time was worked out."""


def carry_times(heard: Sequence[Word], text: str, start: float, end: float) -> list[TimedWord]:
    """The words of `text`, said between `start` and `end`, by the times of those that were heard."""
    written = text.split()
    matcher = SequenceMatcher(None, [word_key(word.text) for word in heard], [*map(word_key, written)], autojunk=False)
    timed: list[TimedWord] = []
    at = start
    for kind, first, last, begin, stop in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(heard[first:last], written[begin:stop], strict=True)
            timed += [TimedWord(word, h.start, h.end, h.probability) for h, word in pairs]
        elif begin < stop:
            until = heard[last].start if last < len(heard) else max(end, at)
            timed += _spread(written[begin:stop], at, max(at, until))
        at = timed[-1].end if timed else start
    return timed


def _spread(words: Sequence[str], start: float, end: float) -> Iterator[TimedWord]:
    letters, at = sum(map(len, words)), 0
    for word in words:
        begin, at = at, at + len(word)
        share = (end - start) / letters
        yield TimedWord(word, round(start + share * begin, 3), round(start + share * at, 3), None)
