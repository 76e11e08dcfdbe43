"""The transcribe stage: many passages' windows through one recognizer at once.

A task brings some passages of any recordings; their windows are decoded in batches, in order, and a passage is
answered when its last window is heard. One whose clip is gone costs only itself. Segments that came out of a
packed window without a word are heard once more, apart from the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aramega.backends.asr.by_name import make_recognizer, recognizer_named
from aramega.backends.asr.recognizer import WINDOW_SECONDS, Heard, Recognizer, Sound
from aramega.config import TranscribeConfig
from aramega.plugins import Plugin
from aramega.records import RATE, AramegaError, DraftedPassage, Line, Part, Segment, Transcript, Word
from aramega.stages.audio import clip_sound
from aramega.stages.base import Stage, Step, Takes
from aramega.stages.names import PASSAGES, TRANSCRIBE
from aramega.stages.transcribe.doubts import doubts
from aramega.stages.transcribe.subtitles import Subtitles, find_subtitles
from aramega.stages.transcribe.windows import (
    Laid,
    Stretch,
    Window,
    lay_on_segments,
    pack_windows,
    repack_missed,
    single_windows,
)
from aramega.text import cer, clean, normalize
from aramega.workspace import WorkspaceFolder

SUBTITLES = "subtitles"


@dataclass
class _Passage:
    """A passage while it is heard."""

    item: DraftedPassage
    sound: Sound
    windows: list[Window]
    lines: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.windows_left = len(self.windows)

    def note(self, window: Window, lines: Sequence[Line]) -> None:
        """A window's lines; one without a word takes no other's place."""
        self.windows_left -= 1
        for segment, line in zip(window.segments, lines, strict=True):
            if line.text or segment.id not in self.lines:
                self.lines[segment.id] = line


class Transcribe(Stage[DraftedPassage]):
    name = TRANSCRIBE
    version = 2
    takes = Takes.PASSAGE
    makes = (Transcript,)
    counts = "transcript"
    table = "transcripts"
    after = (PASSAGES,)
    parts = Part.SEGMENTS
    workers = 1
    """One model in memory; it uses all cores, or the GPU, by itself."""

    options: TranscribeConfig

    def __init__(self, options: TranscribeConfig, workspace: WorkspaceFolder) -> None:
        super().__init__(options, workspace)
        self._recognizer: Recognizer | None = None
        self._has_heard = False

    @property
    def batch_size(self) -> int:  # type: ignore[override]
        """Passages a task: enough windows to fill batches, and not more than a killed build may lose."""
        return max(8, (self.options.batch or 16) // 2)

    def plugins(self) -> tuple[Plugin, ...]:
        return (recognizer_named(self.options.model),)

    def check(self) -> None:
        if self.options.model != SUBTITLES:
            recognizer = make_recognizer(self.options)
            recognizer.check()

    def prepare(self) -> None:
        if self.options.model != SUBTITLES:
            self._recognizer = make_recognizer(self.options)
            self._recognizer.load()

    def run(self, item: DraftedPassage) -> Sequence[Transcript]:
        *_, answer = self.run_batch([item])
        assert not isinstance(answer, Step)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run_batch(self, items: Sequence[DraftedPassage]) -> Iterator[Sequence[Transcript] | Exception | Step]:
        opened = [self._open(item) for item in items]
        steps = self._hear([passage for passage in opened if isinstance(passage, _Passage)])
        for passage in opened:
            if not isinstance(passage, _Passage):
                yield passage
                continue
            while passage.windows_left:
                yield next(steps)
            yield [self._transcript(passage.item, [passage.lines[s.id] for s in passage.item.segments])]

    def _open(self, item: DraftedPassage) -> _Passage | Sequence[Transcript] | Exception:
        """What is to be heard of a passage; where nothing is, its answer."""
        try:
            subtitles = self._at_hand(item)
            if subtitles.cues and self._takes_subtitles():
                return [_from_subtitles(item, subtitles)]
            if self.options.model == SUBTITLES:
                raise AramegaError(
                    f"{item.recording.name}: no subtitles beside it (looked for .srt, .vtt, .json of its name, "
                    f"and for a manifest's column `transcript`){', with any text in this passage' if subtitles.cues == () else ''}."
                    f"{f' {subtitles.note}.' if subtitles.note else ''}"
                )
            return _Passage(item, clip_sound(item.passage, self.workspace), self._windows(item))
        except Exception as error:  # noqa: BLE001  whatever one passage does, the next gets its turn
            return error

    def _takes_subtitles(self) -> bool:
        return self.options.at_hand == "prefer" or self.options.model == SUBTITLES

    def _hear(self, passages: Sequence[_Passage]) -> Iterator[Step]:
        """Hear the passages' windows in order, a batch at a time. What a packed window left without a word is heard
        once more, in the next batch."""
        waiting = deque((passage, window) for passage in passages for window in passage.windows)
        done, total = 0, len(waiting)
        while waiting:
            assert self._recognizer
            # The first passage has a batch of its own: the first row soon, and a sign that all is well.
            size = self._recognizer.windows_at_once if self._has_heard else passages[0].windows_left
            batch = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            cuts = [_cut(passage.sound, window, passage.item.passage.start) for passage, window in batch]
            for (passage, window), heard in zip(batch, self._recognizer.recognize(cuts), strict=True):
                passage.note(window, self._lines(window, heard))
            missed = [(passage, alone) for passage, window in batch for alone in self._missed(passage, window)]
            waiting.extendleft(reversed(missed))
            self._has_heard, done, total = True, done + len(batch), total + len(missed)
            yield Step(done, total, "windows")

    def _windows(self, item: DraftedPassage) -> list[Window]:
        if self.options.pack:
            return pack_windows(item.segments, item.passage.start, item.passage.end, WINDOW_SECONDS)
        return single_windows(item.segments, item.passage.start, item.passage.end)

    def _missed(self, passage: _Passage, window: Window) -> list[Window]:
        """What to hear again of a packed window: the segments that came out without a word."""
        if len(window.segments) == 1 or not self.options.second_hearing:
            return []
        missed = {segment.id for segment in window.segments if not passage.lines[segment.id].text}
        if not missed:
            return []
        item = passage.item
        alone = single_windows(item.segments, item.passage.start, item.passage.end)
        windows = repack_missed(window, missed, alone, WINDOW_SECONDS)
        passage.windows_left += len(windows)
        return windows

    def _lines(self, window: Window, heard: Heard) -> list[Line]:
        laid = lay_on_segments(_stretches(window, heard), window.segments)
        return [self._line(s, part, heard) for s, part in zip(window.segments, laid, strict=True)]

    def _line(self, segment: Segment, laid: Laid | None, heard: Heard) -> Line:
        text = clean(laid.text) if laid else ""
        why = doubts(
            text,
            segment.seconds,
            avg_logprob=heard.avg_logprob,
            no_speech=heard.no_speech,
            min_logprob=self.options.min_logprob,
            max_no_speech=self.options.max_no_speech,
            max_compression_ratio=self.options.max_compression_ratio,
        )
        return Line(
            segment=segment.id,
            text=text,
            start=_inside(laid.start if laid else segment.start, segment),
            end=_inside(laid.end if laid else segment.end, segment),
            language=heard.language,
            avg_logprob=None if heard.avg_logprob is None else round(heard.avg_logprob, 4),
            compression_ratio=round(heard.compression_ratio, 3),
            no_speech=None if heard.no_speech is None else round(heard.no_speech, 4),
            temperature=heard.temperature,
            tokens=laid.tokens if laid else (),
            words=laid.words if laid else (),
            flags=(*why, "divided") if laid and laid.divided else why,
        )

    def _transcript(self, item: DraftedPassage, lines: Sequence[Line]) -> Transcript:
        assert self._recognizer
        languages = [line.language for line in lines if line.text]
        language = max(languages, key=languages.count) if languages else ""
        subtitles = self._at_hand(item)
        transcript = Transcript(item.id, tuple(lines), self._recognizer.name, language, note=subtitles.note)
        if not subtitles.cues:
            return transcript
        subtitle_text = " ".join(cue.text for cue in subtitles.cues)
        distance = round(cer([normalize(subtitle_text, "asr")], [normalize(transcript.text, "asr")]), 4)
        return replace(transcript, at_hand=subtitle_text, at_hand_cer=distance)

    def _at_hand(self, item: DraftedPassage) -> Subtitles:
        """The subtitles said during the passage."""
        if self.options.at_hand == "ignore" and self.options.model != SUBTITLES:
            return Subtitles()
        whole = find_subtitles(item.sources, item.recording.metadata.transcript)
        if whole.cues is None:
            return whole
        first, last = item.passage.start, item.passage.end
        return replace(whole, cues=tuple(s for s in whole.cues if first <= (s.start + s.end) / 2 < last))


def _cut(sound: Sound, window: Window, starts: float) -> Sound:
    first = max(0, round((window.start - starts) * RATE))
    longest = round(WINDOW_SECONDS * RATE)
    return sound[first : min(first + longest, round((window.end - starts) * RATE))]


def _stretches(window: Window, heard: Heard) -> list[Stretch]:
    at = window.start
    return [
        Stretch(
            at + p.start,
            at + p.end,
            p.text,
            p.tokens,
            tuple(Word(w.text, round(at + w.start, 3), round(at + w.end, 3), round(w.probability, 4)) for w in p.words),
        )
        for p in heard.phrases
    ]


def _from_subtitles(item: DraftedPassage, subtitles: Subtitles) -> Transcript:
    """The broadcaster's text as the draft: no model was asked, so there is no confidence to tell."""
    laid: list[Any] = list(lay_on_segments(subtitles.cues or (), item.segments))
    lines = tuple(
        Line(
            segment=segment.id,
            text=part.text if part else "",
            start=_inside(part.start if part else segment.start, segment),
            end=_inside(part.end if part else segment.end, segment),
            flags=(
                *doubts(part.text if part else "", segment.seconds),
                *(("divided",) if part and part.divided else ()),
            ),
        )
        for segment, part in zip(item.segments, laid, strict=True)
    )
    return Transcript(item.id, lines, SUBTITLES, note=subtitles.note)


def _inside(at: float, segment: Segment) -> float:
    return round(min(max(at, segment.start), segment.end), 3)
