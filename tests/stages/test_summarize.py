"""The summarize stage: what comes of a passage, with and without a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aramega.config.summarize import SummarizeConfig
from aramega.records import Draft, DraftedPassage, Line, Metadata, Transcript
from aramega.stages.summarize import Summarize
from aramega.workspace import Workspace
from tests.support.drafts import SENTENCES
from tests.support.workspaces import a_passage, a_recording, segments_at


def a_passage_that_says(*lines: str, **about: str) -> DraftedPassage:
    """A drafted passage with a transcript of these lines, and nothing else drafted."""
    recording = replace(a_recording("0" * 16), metadata=Metadata(**about))
    segments = segments_at(recording.id, [(i * 10.0, i * 10.0 + 9.0) for i in range(len(lines) or 1)])
    passage = a_passage(Workspace(Path("/w")), segments)
    heard = tuple(Line(s.id, text, s.start, s.end, "ar") for s, text in zip(segments, lines, strict=False))
    return DraftedPassage(recording, passage, tuple(segments), Draft(Transcript(passage.id, heard, "whisper:test")))


def test_without_a_model_the_passage_speaks_for_itself(tmp_path: Path) -> None:
    item = a_passage_that_says(*SENTENCES)
    (summary,) = Summarize(SummarizeConfig(), Workspace(tmp_path)).run(item)
    assert summary.passage == item.id
    assert summary.text == f"{SENTENCES[0]}. {SENTENCES[1]}."
    assert not summary.abstractive
    assert summary.model.startswith("extractive:lexrank@1")
    assert summary.prompt == ""
    assert summary.requests == 0


def test_a_phantom_line_is_not_summarized(tmp_path: Path) -> None:
    item = a_passage_that_says(SENTENCES[0], "اشتركوا في القناة")
    transcript = item.draft.transcript
    assert transcript
    phantom = replace(transcript.lines[1], flags=("phantom",))
    item = replace(item, draft=Draft(replace(transcript, lines=(transcript.lines[0], phantom))))
    (summary,) = Summarize(SummarizeConfig(), Workspace(tmp_path)).run(item)
    assert "القناة" not in summary.text + summary.title + " ".join(summary.topics)


@pytest.mark.parametrize("lines", [(), ("",), ("   ", "")])
def test_a_passage_in_which_nothing_was_heard_gets_an_empty_summary(tmp_path: Path, lines: tuple[str, ...]) -> None:
    (summary,) = Summarize(SummarizeConfig(), Workspace(tmp_path)).run(a_passage_that_says(*lines))
    assert (summary.text, summary.title, summary.topics) == ("", "", ())
