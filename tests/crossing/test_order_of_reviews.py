"""Reviews come in the order of time everywhere, however their servers spell times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aramega.desk.workspace import WorkspaceLibrary
from aramega.publish.materials import read_materials
from aramega.records import Review
from aramega.settle.policies import Policy
from aramega.settle.progress import measure_workspace
from aramega.settle.resolve import resolve_workspace
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.recordings import list_recordings
from aramega.store.reviews import add_reviews, resolved_of, reviews_of
from aramega.workspace import WorkspaceFolder
from tests.support.drafts import Annotator, drafted_workspace

SPELLINGS = ("2026-02-01T14:00:00+04:00", "2026-02-01T10:30:00Z", "2026-02-01T06:00:00.000000-05:00")
"""Ten, half past ten and eleven; as texts they come in the opposite order."""


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceFolder:
    """One passage that Amal reviewed three times, each time with another title."""
    workspace = drafted_workspace(tmp_path / "ws", 1, 1, clips=False)
    with Store.create_or_open(workspace) as store:
        (passage,) = find_passages(store)
        add_reviews(store, [titled(passage, number) for number in (2, 0, 1)])
    return workspace


def titled(passage: str, number: int) -> Review:
    said = Annotator("amal").says(passage, title=f"title {number}", updated_at=SPELLINGS[number])
    return replace(said, id=f"review {number}")


def test_the_store_publishing_and_the_explorer_give_the_oldest_first(
    workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    with Store.open(workspace) as store:
        (passage,) = find_passages(store)
        (material,) = (
            material for recording in list_recordings(store) for material in read_materials(store, recording)
        )
        read = [reviews_of(store, passage), material.reviews]
    (entry,) = WorkspaceLibrary(workspace).entries(tmp_path)
    titles = [[review.title for review in reviews] for reviews in read] + [[said.title for said in entry.reviews]]
    assert titles == [["title 0", "title 1", "title 2"]] * 3


def test_the_last_word_is_the_latest_in_time(workspace: WorkspaceFolder) -> None:
    with Store.create_or_open(workspace) as store:
        (passage,) = find_passages(store)
        resolve_workspace(store, Policy("single"))
        resolved = resolved_of(store, passage)
        (amal,) = measure_workspace(store).annotators
    assert resolved
    assert (resolved.title.value, resolved.reviews) == ("title 2", ("review 2",))
    assert amal.last_active == SPELLINGS[2]
