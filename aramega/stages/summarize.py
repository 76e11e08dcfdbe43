"""Summarize: a passage gets a title, one to three sentences and its topics.

With the `extractive` backend the passage's most central sentences are picked: no model, no server, nothing that
was not said.
"""

from __future__ import annotations

from collections.abc import Sequence

from aramega.backends.llm.extractive import extract, method
from aramega.config.summarize import SummarizeConfig
from aramega.records import AramegaError, DraftedPassage, Summary
from aramega.stages.base import Stage, Takes


class Summarize(Stage[DraftedPassage]):
    name = "summarize"
    version = 1
    takes = Takes.PASSAGE
    makes = (Summary,)
    reads = ("transcribe",)
    batch_size = 16

    options: SummarizeConfig

    def run(self, item: DraftedPassage) -> Sequence[Summary]:
        return [pick_summary(item, self.options)]

    def check(self) -> None:
        if self.options.model.kind != "extractive":
            raise AramegaError(f"summarize.backend {self.options.backend}: only extractive is there so far.")


def pick_summary(item: DraftedPassage, options: SummarizeConfig) -> Summary:
    """A summary of the passage's own sentences."""
    found = extract(
        said_lines(item),
        max_sentences=options.max_sentences,
        max_words=options.max_words,
        max_topics=options.max_topics,
    )
    return Summary(item.id, found.text, found.title, found.topics, abstractive=False, model=method())


def said_lines(item: DraftedPassage) -> list[str]:
    """What was said, line by line. Lines the recognizer learned from subtitles and heard in music («ترجمة نانسي
    قنقر») stay in the transcript for people to judge, but nobody should read about them in a summary."""
    lines = item.draft.transcript.lines if item.draft.transcript else ()
    return [line.text for line in lines if line.text.strip() and "phantom" not in line.flags]
