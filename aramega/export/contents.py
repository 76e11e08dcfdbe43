"""What a build found in one recording, joined up for those who write it out.

Segments know nothing of passages and passages hold only segments' ids; a format wants both together, and
each segment's place inside the clip. Times are worked out in whole milliseconds, so that no format shows
`0.30000000000000004`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

from aramega.export.names import safe_name
from aramega.records import Passage, Recording, Segment, Span, Word, milliseconds
from aramega.settle.word_times import TimedWord, carry_times
from aramega.store import Store
from aramega.store.drafts import segment_texts, segment_words
from aramega.store.recordings import list_passages, list_recordings, load_segmented
from aramega.workspace import WorkspaceFolder

Unit = Literal["passages", "segments"]
TextOf = Callable[[Segment], str]


def no_text(_: Segment) -> str:
    """Before there is a transcript."""
    return ""


@dataclass(frozen=True)
class Contents:
    """One recording and what is in it, in the order of time."""

    recording: Recording
    paths: tuple[str, ...]
    spans: tuple[Span, ...]
    segments: tuple[Segment, ...]
    passages: tuple[Passage, ...]
    root: Path
    """The workspace's folder, absolute: where the paths of clips begin."""
    text_of: TextOf = no_text
    heard: Callable[[], Mapping[str, Sequence[Word]]] = dict
    """By segment: the words that a recognizer heard, where it gave their times. Read when first asked for."""

    @cached_property
    def name(self) -> str:
        """What every format calls this recording."""
        return safe_name(self.recording.name, self.recording.id)

    @cached_property
    def passage_of(self) -> dict[str, Passage]:
        """The passage each segment belongs to, by the segment's id; a segment may belong to none."""
        return {segment: passage for passage in self.passages for segment in passage.segments}

    @cached_property
    def _segments(self) -> dict[str, Segment]:
        return {segment.id: segment for segment in self.segments}

    @cached_property
    def _heard(self) -> Mapping[str, Sequence[Word]]:
        return self.heard()

    def stretches(self, unit: Unit) -> Sequence[Segment | Passage]:
        return self.segments if unit == "segments" else self.passages

    def inside(self, passage: Passage) -> list[Segment]:
        return [self._segments[number] for number in passage.segments]

    def clip(self, passage: Passage) -> str:
        return str(self.root / passage.clip)

    def text(self, stretch: Segment | Passage) -> str:
        """What is said, on one line; empty while nobody knows."""
        segments = [stretch] if isinstance(stretch, Segment) else self.inside(stretch)
        return " ".join(" ".join(self.text_of(segment) for segment in segments).split())

    def words(self, segment: Segment) -> list[TimedWord]:
        """What is said in the segment, word by word; none where no recognizer gave times."""
        heard = self._heard.get(segment.id, ())
        return carry_times(heard, self.text(segment), segment.start, segment.end) if heard else []

    def label(self, stretch: Segment | Passage) -> str:
        """What to show a person who looks at the stretch."""
        return self.text(stretch) or stretch.id


def read_contents(store: Store, workspace: WorkspaceFolder, text_of: TextOf | None) -> Iterator[Contents]:
    """Every segmented recording, by id; with the workspace's own transcripts unless told otherwise.

    Passages made of segments that are no longer there are left out: the segments were made anew and their
    passages are still to come.
    """
    root = workspace.root.absolute()
    for recording in list_recordings(store):
        segmented = load_segmented(store, recording.id)
        if segmented.timeline is None:
            continue
        here = {segment.id for segment in segmented.segments}
        passages = tuple(p for p in list_passages(store, recording.id) if here.issuperset(p.segments))
        texts = text_of or _drafted(store, recording.id)
        yield Contents(
            segmented.recording,
            segmented.paths,
            segmented.timeline.spans,
            segmented.segments,
            passages,
            root,
            texts,
            partial(segment_words, store, recording.id),
        )


def _drafted(store: Store, recording: str) -> TextOf:
    texts = segment_texts(store, recording)
    return lambda segment: texts.get(segment.id, "")


def length(stretch: Segment | Passage) -> float:
    return (milliseconds(stretch.end) - milliseconds(stretch.start)) / 1000


def offset_in_clip(segment: Segment, passage: Passage) -> float:
    """Where in its passage's clip a segment starts."""
    return (milliseconds(segment.start) - milliseconds(passage.start)) / 1000


def decimal(seconds: float) -> str:
    """Seconds with their three decimals, never in the form 1e-05."""
    whole, thousandths = divmod(milliseconds(seconds), 1000)
    return f"{whole}.{thousandths:03d}"
