"""Drafts in the store: loaded whole, chosen by what a curator asks, kept or dropped with what they are drafts of."""

from __future__ import annotations

from pathlib import Path

import pytest

from aramega.records import AramegaError, ResolvedPassage, Settled, Span, Timeline
from aramega.stages.base import Takes
from aramega.store import Finished, Mark, Store
from aramega.store.drafts import find_passages, passage_columns
from aramega.store.items import items_made_ready, name_of
from aramega.store.passages import load_drafted
from aramega.store.pending import count_pending_items, list_pending
from aramega.store.results import tie_source, write_outcomes
from aramega.store.reviews import add_reviews, resolved_of, reviewed_passages, reviews_of, write_resolved
from aramega.store.sources import list_sources
from tests.support.database import connection_of
from tests.support.drafts import Annotator, drafted_workspace
from tests.support.workspaces import a_recording, put_recording


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create_or_open(drafted_workspace(tmp_path, recordings=2, passages=3, clips=False))


def test_a_drafted_passage_comes_back_whole(store: Store) -> None:
    first = next(find_passages(store))
    found = load_drafted(store, first)
    assert found.draft.transcript
    assert [line.segment for line in found.draft.transcript.lines] == [s.id for s in found.segments]
    assert found.draft.summary
    assert found.draft.summary.abstractive is True
    assert found.draft.labels
    assert found.draft.labels.dialect[0].label == "MSA"
    assert found.recording.metadata.licence == "CC-BY-4.0"
    assert found.sources


def test_a_passage_knows_its_music_and_a_new_timeline_is_heard_of(store: Store) -> None:
    """The timeline is read once a recording, not once a passage; ten hours of it a thousand times was most of a build."""
    first, *others = find_passages(store)
    passage = load_drafted(store, first).passage
    assert load_drafted(store, first).music_seconds == 0
    music = Timeline(passage.recording, (Span(passage.start + 1, passage.start + 3, "music"),))
    write_outcomes(store, [Finished(Mark("segment", "b2"), passage.recording, (Timeline,), [music], 0.1)])
    assert load_drafted(store, first).music_seconds == 2
    asked: list[str] = []
    connection_of(store).set_trace_callback(asked.append)
    for other in (first, *others):
        load_drafted(store, other)
    assert sum("JOIN timelines" in query and "results" not in query for query in asked) == 1, "of the other recording"


def test_a_passage_that_is_not_there_is_said_not_to_be(store: Store) -> None:
    with pytest.raises(AramegaError, match="no such passage"):
        load_drafted(store, "nowhere")


def test_passages_are_chosen_by_an_expression(store: Store) -> None:
    assert len(list(find_passages(store))) == 6
    assert len(list(find_passages(store, "priority >= 0.4"))) == 2
    assert len(list(find_passages(store, "dialect = 'EGY' AND seconds > 10"))) == 1
    assert len(list(find_passages(store, "programme = 'programme 3'"))) == 3
    best = next(find_passages(store, order="priority DESC"))
    assert best == next(find_passages(store, "priority = 0.5"))
    assert len(list(find_passages(store, limit=2))) == 2


def test_a_wrong_expression_names_what_can_be_asked(store: Store) -> None:
    with pytest.raises(AramegaError, match=r"prioritty.*priority"):
        list(find_passages(store, "prioritty > 1"))


@pytest.mark.parametrize("attack", ["1); DROP TABLE passages; --", "1) UNION SELECT metadata FROM sources --"])
def test_an_expression_changes_nothing(store: Store, attack: str) -> None:
    with pytest.raises(AramegaError):
        list(find_passages(store, attack))
    assert len(list(find_passages(store))) == 6
    assert "priority" in passage_columns(store)


def test_a_passage_waits_for_its_recording_and_a_recording_for_all_its_passages(store: Store) -> None:
    passages, summarize = Mark("passages", "c1"), Mark("summarize", "d1", Takes.PASSAGE)
    overview = Mark("overview", "o1")
    assert count_pending_items(store, Mark("transcribe", "new", Takes.PASSAGE), [passages]) == 6
    assert count_pending_items(store, Mark("transcribe", "d1", Takes.PASSAGE), [passages]) == 0
    assert count_pending_items(store, Mark("transcribe", "new", Takes.PASSAGE), [Mark("passages", "other")]) == 0
    assert count_pending_items(store, overview, [passages, summarize]) == 2
    first = next(find_passages(store))
    connection_of(store).execute("DELETE FROM results WHERE stage = 'summarize' AND item = ?", (first,))
    assert list(list_pending(store, overview, [passages, summarize])) == [f"{1:016x}"]
    assert items_made_ready(store, [first], Takes.PASSAGE, Takes.RECORDING) == [f"{0:016x}"]
    assert len(items_made_ready(store, [f"{0:016x}"], Takes.RECORDING, Takes.PASSAGE)) == 3
    assert name_of(store, Takes.PASSAGE, first) == "نشرة 0.mp3"


def test_drafts_go_with_a_file_that_holds_something_else_now(store: Store) -> None:
    path = next(list_sources(store)).path
    put_recording(store, a_recording("f" * 16), folder=path.rsplit("/", 2)[0])
    tie_source(store, path, "f" * 16)
    assert len(list(find_passages(store))) == 3
    assert connection_of(store).execute("SELECT count(*) FROM transcripts").fetchone()[0] == 3
    assert connection_of(store).execute("SELECT count(*) FROM results WHERE stage = 'check'").fetchone()[0] == 3


def test_reviews_are_added_once_and_never_changed(store: Store) -> None:
    first = next(find_passages(store))
    mona = Annotator("mona")
    one, two = mona.says(first, transcript="أول"), mona.says(first, transcript="ثان", gold=True)
    assert add_reviews(store, [one, two]) == 2
    assert add_reviews(store, [one, two]) == 0
    assert reviews_of(store, first) == [one, two]
    assert reviewed_passages(store) == [first]
    assert list(find_passages(store, "reviewed")) == [first]


def test_what_is_resolved_comes_back_as_it_was(store: Store) -> None:
    first = next(find_passages(store))
    assert resolved_of(store, first) is None
    settled = ResolvedPassage(first, accepted=True, summary=Settled("خلاصة", verified=True, how="gold", distance=0.2))
    write_resolved(store, [settled])
    assert resolved_of(store, first) == settled
