"""The overview stage: a whole recording in short, with chapters that begin where passages do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.backends.llm import Reply, Request
from aramega.backends.llm.estimates import request_tokens
from aramega.backends.llm.rounds import hold_in_rounds
from aramega.config import Config
from aramega.config.overview import OverviewConfig
from aramega.config.summarize import SummarizeConfig
from aramega.prompts import load_prompt
from aramega.records import AramegaError, Chapter, SummarizedRecording, Summary
from aramega.stages.base import Takes, fingerprints
from aramega.stages.overview import Overviews, load_rules, survey_recording
from aramega.stages.passages import Passages
from aramega.stages.summarize import Summarize
from aramega.store import Store
from aramega.store.items import load_item
from aramega.text.chapters import find_chapters
from aramega.workspace import WorkspaceFolder
from tests.support.chat_server import chat_server
from tests.support.drafts import drafted_workspace
from tests.support.workspaces import a_passage, a_recording, segments_at

NEWS = (
    "افتتحت وزارة الصحة ثلاثة مستشفيات في العاصمة.",
    "قال وزير الصحة إن المستشفيات تخدم مليون مواطن.",
    "فاز المنتخب الوطني بهدفين في المباراة.",
    "يلعب المنتخب الوطني المباراة التالية غدا.",
)


def a_recording_of(*texts: str) -> SummarizedRecording:
    """A recording whose passages, a minute each, have these summaries; an empty one for silence."""
    known = a_recording("0" * 16, seconds=60.0 * len(texts))
    segments = segments_at(known.id, [(60.0 * i + 1, 60.0 * i + 59) for i in range(len(texts))])
    passages = tuple(a_passage(WorkspaceFolder(Path("/w")), [segment]) for segment in segments)
    summaries = tuple(
        Summary(passage.id, text, f"عنوان {n}" if text else "", (), True, "openai:m")
        for n, (passage, text) in enumerate(zip(passages, texts, strict=True), 1)
    )
    return SummarizedRecording(known, ("/in/a.mp3",), None, tuple(segments), passages, summaries)


def answer(*firsts: int, text: str = "ملخص النشرة كلها.") -> str:
    chapters = [{"first": first, "title": f"فصل {first}"} for first in firsts]
    return json.dumps({"summary": text, "chapters": chapters}, ensure_ascii=False)


def asking(**more: Any) -> SummarizeConfig:
    return SummarizeConfig(backend="openai:qwen3@http://127.0.0.1:9/v1", **more)


def talked(
    item: SummarizedRecording, *answers: str, config: SummarizeConfig | None = None
) -> tuple[list[Request], Any]:
    """What is asked about a recording, and what comes of it, if these are the answers, one after another."""
    asked: list[Request] = []
    left = iter(answers)

    def answer_all(requests: Sequence[Request]) -> list[Reply | Exception]:
        asked.extend(requests)
        return [Reply(next(left), 100, 20) for _ in requests]

    (end,) = hold_in_rounds([survey_recording(item, load_rules(OverviewConfig(), config or asking()))], answer_all)
    return asked, end


def test_a_model_reads_the_numbered_summaries_and_says_where_chapters_begin() -> None:
    item = a_recording_of(*NEWS)
    (request,), overview = talked(item, answer(1, 3))
    assert "1. افتتحت وزارة الصحة" in request.messages[1].content
    assert "4. يلعب المنتخب" in request.messages[1].content
    ids = [passage.id for passage in item.passages]
    assert overview.text == "ملخص النشرة كلها."
    assert overview.chapters == (
        Chapter(item.passages[0].start, "فصل 1", tuple(ids[:2])),
        Chapter(item.passages[2].start, "فصل 3", tuple(ids[2:])),
    )
    assert (overview.model, overview.prompt) == ("openai:qwen3", load_prompt("overview").tag)
    assert (overview.prompt_tokens, overview.completion_tokens) == (100, 20)


def test_a_chapter_at_a_passage_that_is_not_there_is_sent_back() -> None:
    asked, overview = talked(a_recording_of(*NEWS), answer(1, 9), answer(1))
    assert "from 1 to 4" in asked[1].messages[-1].content
    assert len(overview.chapters) == 1


def test_passages_in_which_nothing_was_said_belong_to_the_chapter_around_them() -> None:
    item = a_recording_of("", *NEWS[:2], "", *NEWS[2:])
    (request,), overview = talked(item, answer(1, 3))
    assert "5." not in request.messages[1].content
    assert [len(chapter.passages) for chapter in overview.chapters] == [4, 2]
    assert overview.chapters[0].start == item.passages[0].start


def test_a_recording_in_which_nothing_was_said_costs_nothing() -> None:
    for item in (a_recording_of(), a_recording_of("", "")):
        asked, overview = talked(item)
        assert not asked
        assert (overview.text, overview.chapters) == ("", ())


def test_a_recording_longer_than_the_context_is_surveyed_in_parts() -> None:
    item = a_recording_of(*[f"الخبر رقم {i} من أخبار كثيرة في نشرة طويلة جدا." for i in range(60)])
    config = asking(context_tokens=4600, max_answer_tokens=600)
    asked, overview = talked(item, answer(1, 5), answer(1, 4), answer(1), config=config)
    assert len(asked) == 3
    assert all(request_tokens(r, 2.0) + 2 * 1500 <= 4600 for r in asked)
    shown = "\n".join(request.messages[1].content for request in asked)
    assert all(f"الخبر رقم {i} من" in shown for i in range(60))
    covered = [passage for chapter in overview.chapters for passage in chapter.passages]
    assert covered == [passage.id for passage in item.passages]
    assert len(overview.chapters) == 4
    assert overview.prompt_tokens == 300


def test_without_a_model_like_passages_make_a_chapter(tmp_path: Path) -> None:
    item = a_recording_of(*NEWS)
    (overview,) = Overviews(OverviewConfig(), WorkspaceFolder(tmp_path), SummarizeConfig()).run(item)
    assert [len(chapter.passages) for chapter in overview.chapters] == [2, 2]
    assert [chapter.title for chapter in overview.chapters] == ["عنوان 1", "عنوان 3"]
    assert overview.text
    assert all(sentence in NEWS for sentence in overview.text.replace(". ", ".\n").split("\n"))
    assert overview.model.startswith("extractive:")
    assert overview.prompt == ""


@given(st.lists(st.sampled_from([*NEWS, "خبر آخر تماما", "x"]), max_size=12), st.integers(1, 5))
def test_chapters_cover_every_passage_once_and_are_no_more_than_asked(texts: list[str], most: int) -> None:
    runs = find_chapters(texts, most)
    assert [i for run in runs for i in run] == list(range(len(texts)))
    assert len(runs) <= most


def test_recordings_go_through_an_endpoint_side_by_side(tmp_path: Path) -> None:
    def reply(messages: list[dict[str, str]]) -> str:
        return "no" if "فاز" in messages[1]["content"] else answer(1)

    with chat_server(reply) as server:
        options = SummarizeConfig(backend=f"openai:m@{server.url}", concurrency=3)
        stage = Overviews(OverviewConfig(), WorkspaceFolder(tmp_path), options)
        stage.check()
        stage.prepare()
        assert (stage.workers, stage.batch_size) == (1, 3)
        good, bad = stage.run_batch([a_recording_of(*NEWS[:2]), a_recording_of(*NEWS)])
        assert not isinstance(good, Exception)
        assert good[0].text
        assert isinstance(bad, AramegaError)
        stage.forget_failures()
        with pytest.raises(AramegaError):
            stage.run(a_recording_of(*NEWS))
        assert len(server.requests) == 1 + 2 + 2


def test_another_prompt_or_model_makes_other_overviews_and_an_address_does_not(tmp_path: Path) -> None:
    there = WorkspaceFolder(tmp_path)

    def mark(options: OverviewConfig, llm: SummarizeConfig) -> str:
        summarize = Summarize(llm, there)
        summarize.after = ()  # type: ignore[misc]  the stages before it are not the point
        passages = Passages(Config().passages, there)
        passages.after = ()  # type: ignore[misc]
        return fingerprints([passages, summarize, Overviews(options, there, llm)])["overview"]

    known = mark(OverviewConfig(), asking())
    assert mark(OverviewConfig(enabled=True), SummarizeConfig(backend="openai:qwen3@http://other/v1")) == known
    assert mark(OverviewConfig(), SummarizeConfig(backend="openai:other@http://127.0.0.1:9/v1")) != known
    assert mark(OverviewConfig(max_chapters=3), asking()) != known


def test_an_answer_that_leaves_no_room_for_the_question_is_refused_before_anything_starts(tmp_path: Path) -> None:
    small = asking(context_tokens=2048)
    with pytest.raises(AramegaError, match=r"max_answer_tokens \(1500\) leaves too little"):
        Overviews(OverviewConfig(), WorkspaceFolder(tmp_path), small).check()


def test_the_store_hands_over_a_recording_with_its_summaries_in_order(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path, recordings=2, passages=3, clips=False)
    with Store.open(workspace) as store:
        item = load_item(store, Takes.RECORDING, f"{1:016x}")
        assert isinstance(item, SummarizedRecording)
        assert [summary.passage for summary in item.summaries] == [passage.id for passage in item.passages]
        (overview,) = Overviews(OverviewConfig(), workspace, SummarizeConfig()).run(item)
    assert overview.text
    assert overview.chapters
