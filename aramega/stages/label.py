"""Label: the dialect and the emotion of a passage, with scores, as a draft for the annotator.

What the curator's manifest says of a dialect comes first, then how the passage sounds, then how its
transcript reads; where nobody is asked, the field stays open and the annotator is not led.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from aramega.backends.labelers import EMOTIONS, REGIONS, AudioLabeler, Names, Sound, TextLabeler
from aramega.config import LabelConfig
from aramega.records import AramegaError, DraftedPassage, Labels, Part, Score
from aramega.stages.audio import clip_sound
from aramega.stages.base import Stage, Takes
from aramega.stages.names import LABEL, TRANSCRIBE
from aramega.workspace import WorkspaceFolder

T = TypeVar("T")
Scores = tuple[Score, ...]


class Label(Stage[DraftedPassage]):
    name = LABEL
    version = 1
    takes = Takes.PASSAGE
    makes = (Labels,)
    counts = "label"
    table = "labels"
    after = (TRANSCRIBE,)
    parts = Part.TRANSCRIPT
    batch_size = 16

    options: LabelConfig

    def __init__(self, options: LabelConfig, workspace: WorkspaceFolder) -> None:
        super().__init__(options, workspace)
        if options.dialect_model or options.emotion_model:
            self.workers = 1

    @cached_property
    def _dialect(self) -> AudioLabeler | None:
        names = Names(self.options.dialects, REGIONS, self.options.names)
        return _audio(self.options.dialect_model, names, "--dialect-model")

    @cached_property
    def _emotion(self) -> AudioLabeler | None:
        names = Names(self.options.emotions, EMOTIONS, self.options.names)
        return _audio(self.options.emotion_model, names, "--emotion-model")

    @cached_property
    def _text(self) -> TextLabeler | None:
        if not self.options.dialect_from_text or self.options.dialect_model:
            return None
        return TextLabeler(Names(self.options.dialects, REGIONS, self.options.names))

    def check(self) -> None:
        for labeler in (self._dialect, self._emotion, self._text):
            if labeler:
                labeler.check()

    def prepare(self) -> None:
        for labeler in (self._dialect, self._emotion):
            if labeler:
                from aramega.backends.asr.openai_whisper import choose_device

                labeler.load(choose_device(self.options.device))
        if self._text:
            self._text.load()

    def run(self, item: DraftedPassage) -> Sequence[Labels]:
        answer = next(self.run_batch([item]))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run_batch(self, items: Sequence[DraftedPassage]) -> Iterator[Sequence[Labels] | Exception]:
        sounds: dict[int, Sound] = {}
        broken: dict[int, Exception] = {}
        if self._dialect or self._emotion:
            for i, item in enumerate(items):
                try:
                    sounds[i] = clip_sound(item.passage, self.workspace)
                except AramegaError as error:
                    broken[i] = error
        dialects = _keyed(sounds, self._dialect.label(list(sounds.values()))) if self._dialect else {}
        emotions = _keyed(sounds, self._emotion.label(list(sounds.values()))) if self._emotion else {}
        if self._text:
            texts = [item.draft.transcript.text if item.draft.transcript else "" for item in items]
            dialects = dict(enumerate(self._text.label(texts)))
        for i, item in enumerate(items):
            yield broken[i] if i in broken else [self._labels(item, dialects.get(i, ()), emotions.get(i, ()))]

    def _labels(self, item: DraftedPassage, dialect: Scores, emotion: Scores) -> Labels:
        by = (self._dialect or self._text).name if self._dialect or self._text else ""  # type: ignore[union-attr]
        from_manifest = Names(self.options.dialects, REGIONS, self.options.names).scores(
            {item.recording.metadata.dialect: 1.0}
        )
        if from_manifest:
            dialect, by = from_manifest, "manifest"
        return Labels(
            passage=item.id,
            dialect=dialect,
            dialect_by=by if dialect else "",
            emotion=emotion,
            emotion_by=self._emotion.name if self._emotion and emotion else "",
        )


def _audio(folder: str, names: Names, option: str) -> AudioLabeler | None:
    return AudioLabeler(folder, names, option) if folder else None


def _keyed(sounds: dict[int, Sound], answers: Sequence[T]) -> dict[int, T]:
    return dict(zip(sounds, answers, strict=True))
