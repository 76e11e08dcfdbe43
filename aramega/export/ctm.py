"""CTM: when each word was said, for scoring tools and forced aligners.

A line is the recording, its channel, the word's start and length, the word and how sure the recognizer was of it. Fields
are separated by spaces, and a word holds none. A line that begins with `;;` is a remark.
"""

from __future__ import annotations

from collections.abc import Iterator

from aramega.export.contents import Contents, decimal
from aramega.records import milliseconds


def ctm_lines(contents: Contents) -> Iterator[str]:
    words = [word for segment in contents.segments for word in contents.words(segment)]
    if not words:
        yield f";; {contents.name}: no word has a time. They come with transcribe.word_timestamps.\n"
    for word in words:
        seconds = max(0, milliseconds(word.end) - milliseconds(word.start)) / 1000
        sure = f"{word.probability or 0.0:.2f}"
        yield f"{contents.name} 1 {decimal(word.start)} {decimal(seconds)} {word.text} {sure}\n"
