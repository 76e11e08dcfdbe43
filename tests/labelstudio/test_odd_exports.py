"""Exports that no Label Studio wrote, or that somebody edited: what can be used is used, the rest is a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aramega.errors import AramegaError
from aramega.labelstudio.files import Imported, import_files
from aramega.records import Review
from aramega.store import Store
from aramega.store.reviews import reviewed_passages, reviews_of
from aramega.workspace import WorkspaceFolder
from tests.chaos.readings import exported_tasks

Edit = Callable[[dict[str, Any]], object]


def taken(workspace: WorkspaceFolder, file: Path, text: str) -> tuple[Imported, list[Review]]:
    file.write_text(text, encoding="utf-8")
    with Store.open(workspace) as store:
        found = import_files(store, [file])
        return found, [review for passage in reviewed_passages(store) for review in reviews_of(store, passage)]


def taken_after(workspace: WorkspaceFolder, file: Path, edit: Edit) -> tuple[Imported, list[Review]]:
    """What becomes of a sound export of one task, edited."""
    task = exported_tasks(workspace)[0]
    edit(task)
    return taken(workspace, file, json.dumps([task]))


def value_of(task: dict[str, Any], field: str) -> dict[str, Any]:
    """What was filled in there."""
    return next(e["value"] for e in task["annotations"][0]["result"] if e["from_name"] == field)  # type: ignore[no-any-return]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export.json"


def test_an_export_as_it_should_be_is_taken_whole(workspace_alone: WorkspaceFolder, file: Path) -> None:
    found, (review,) = taken_after(workspace_alone, file, lambda task: None)
    assert (found.new, found.complaints) == (1, [])
    assert (review.confidence, review.annotator, review.seconds_spent) == (4, "amal@example.org", 61.5)


@pytest.mark.parametrize("number", [None, "4", 2.5, {}])
def test_a_task_without_a_number_is_refused_by_itself(
    workspace_alone: WorkspaceFolder, file: Path, number: object
) -> None:
    found, reviews = taken_after(workspace_alone, file, lambda task: task.update(id=number))
    assert (found.refused, reviews) == (1, [])
    assert "it has no number" in found.complaints[0]


@pytest.mark.parametrize("rating", ["1e400", "NaN", "9" * 400, "-3", '"4"', "1e30"])
def test_a_rating_that_is_none_is_left_out(workspace_alone: WorkspaceFolder, file: Path, rating: str) -> None:
    task = exported_tasks(workspace_alone)[0]
    value_of(task, "confidence")["rating"] = "@"
    _, (review,) = taken(workspace_alone, file, json.dumps([task]).replace('"@"', rating))
    assert review.confidence is None
    assert review.verdict == "fix"


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", None, 3])
def test_a_time_outside_the_calendar_is_no_reason_to_lose_a_review(
    workspace_alone: WorkspaceFolder, file: Path, when: object
) -> None:
    _, (review,) = taken_after(workspace_alone, file, lambda task: task["annotations"][0].update(updated_at=when))
    assert review.updated_at == str(when or "")


def test_half_a_character_anywhere_is_stored_as_something_that_can_be(
    workspace_alone: WorkspaceFolder, file: Path
) -> None:
    def spoil(task: dict[str, Any]) -> None:
        value_of(task, "comment")["text"] = ["a\ud83db"]
        task["annotations"][0].update(completed_by="am\ud83dal", updated_at="\ud83d")
        task["data"]["draft"] = "\ud83d"

    _, (review,) = taken_after(workspace_alone, file, spoil)
    assert (review.reason, review.annotator, review.draft) == ("ab", "am‹U+D83D›al", "‹U+D83D›")


def test_what_others_wrote_is_shown_without_its_control_characters(
    workspace_alone: WorkspaceFolder, file: Path
) -> None:
    def spoil(task: dict[str, Any]) -> None:
        task["annotations"][0]["result"].append({"from_name": "\x1b]0;owned\x07" * 100, "value": {"text": "x"}})

    found, _ = taken_after(workspace_alone, file, spoil)
    [line] = found.complaints
    assert line.isprintable()
    assert len(line) < 500

    found, _ = taken_after(workspace_alone, file, lambda task: task["data"].update(passage="\x1b[31m" * 100, audio=""))
    assert found.complaints[0].isprintable()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[{"id": ' + "9" * 5000 + "}]", "a number of thousands of digits"),
        ("[" * 100_000, "lists inside each other without end"),
        ('[{"id": 1, "data"} ]', "breaks off in the middle, or is not JSON there"),
        ("\0", "not a JSON array"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file(
    workspace_alone: WorkspaceFolder, file: Path, text: str, complaint: str
) -> None:
    with pytest.raises(AramegaError, match=complaint) as caught:
        taken(workspace_alone, file, text)
    assert str(caught.value).startswith(f"{file}: ")
