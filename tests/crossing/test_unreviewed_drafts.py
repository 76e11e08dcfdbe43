"""Draft, resolve, publish, load: what becomes of drafts that nobody reviewed, and of those that somebody did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import datasets
import pytest

from aramega.records import Decision, Verdict
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.store.reviews import add_reviews
from aramega.workspace import WorkspaceFolder
from tests.publish.sets import a_set
from tests.support.cli import Run
from tests.support.database import connection_of
from tests.support.drafts import Annotator, put_draft

DECIDED: tuple[Decision | None, ...] = ("keep", "review first", "reject", None)
CONFIGURATIONS = ("ssum", "asr", "text_summ", "raw")


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceFolder:
    """Two passages of each decision of the checks, and two that the checks have not seen."""
    workspace = a_set(tmp_path / "w", recordings=4, passages=2, seconds=6.0)
    with Store.create_or_open(workspace) as store:
        for number, passage in enumerate(find_passages(store)):
            decide(store, passage, DECIDED[number % len(DECIDED)])
    return workspace


def decide(store: Store, passage: str, decision: Decision | None) -> None:
    draft = load_drafted(store, passage).draft
    reasons = () if decision in ("keep", None) else ("noisy",)
    verdict = Verdict(passage, decision, reasons, score=0.7, priority=0.5) if decision else None
    connection_of(store).execute("DELETE FROM verdicts WHERE passage = ?", (passage,))
    put_draft(store, replace(draft, verdict=verdict))


def passages_decided(workspace: WorkspaceFolder) -> dict[Decision | None, set[str]]:
    with Store.open(workspace) as store:
        listed = list(find_passages(store))
    return {decision: set(listed[place :: len(DECIDED)]) for place, decision in enumerate(DECIDED)}


def publish(aramega: Run, workspace: WorkspaceFolder, folder: Path) -> str:
    options = ("--no-test-verified-only", "--configurations", ",".join(CONFIGURATIONS))
    said = aramega("publish", workspace.root, "--to", folder, *options)
    assert said.code == 0, said.err
    return said.out + said.err


def load(folder: Path) -> dict[str, list[Mapping[str, object]]]:
    """The rows of every configuration but for their audio, whatever their split."""
    rows = {}
    for name in CONFIGURATIONS:
        splits = datasets.load_dataset(str(folder), name).values()
        tables = [split.remove_columns([c for c in ("audio",) if c in split.column_names]) for split in splits]
        rows[name] = sorted((row for table in tables for row in table), key=lambda row: row["id"])
    return rows


def ids(rows: list[Mapping[str, object]]) -> set[object]:
    return {row["id"] for row in rows}


def test_a_draft_that_nobody_reviewed_is_published_alike_before_and_after_resolve(
    aramega: Run, workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    publish(aramega, workspace, tmp_path / "before")
    assert aramega("review", "resolve", workspace.root).code == 0
    told = publish(aramega, workspace, tmp_path / "after")
    before, after = load(tmp_path / "before"), load(tmp_path / "after")
    assert before == after
    decided = passages_decided(workspace)
    assert ids(after["ssum"]) == decided["keep"] | decided["review first"] | decided[None]
    assert {row["passage"] for row in after["asr"]} == ids(after["ssum"])
    assert not any(row["verified_transcription"] or row["verified_summary"] for row in after["ssum"])
    assert "2 rejected by the checks: noisy" in told


def test_publishing_again_after_resolve_changes_nothing(
    aramega: Run, workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    publish(aramega, workspace, tmp_path / "set")
    assert aramega("review", "resolve", workspace.root).code == 0
    assert "has all of it already" in publish(aramega, workspace, tmp_path / "set")


def test_a_draft_made_anew_after_resolve_is_published_as_it_is_now(
    aramega: Run, workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    assert aramega("review", "resolve", workspace.root).code == 0
    with Store.create_or_open(workspace) as store:
        drafted = load_drafted(store, next(find_passages(store)))
        assert drafted.draft.summary
        put_draft(store, replace(drafted.draft, summary=replace(drafted.draft.summary, text="خلاصة من نموذج أحدث.")))
    publish(aramega, workspace, tmp_path / "set")
    (row,) = [row for row in load(tmp_path / "set")["ssum"] if row["id"] == drafted.id]
    assert row["summary"] == "خلاصة من نموذج أحدث."


def test_a_reviewers_word_outweighs_the_checks_either_way(
    aramega: Run, workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    decided = passages_decided(workspace)
    taken, turned_down = min(decided["reject"]), min(decided["keep"])
    amal = Annotator("amal")
    with Store.create_or_open(workspace) as store:
        transcript = load_drafted(store, taken).draft.transcript
        assert transcript
        words = {"transcript": transcript.text, "summary": "خلاصة."}
        add_reviews(
            store, [amal.says(taken, **words), amal.says(turned_down, verdict="reject", reason="music or advert")]
        )
    assert "2 passages have reviews" in publish(aramega, workspace, tmp_path / "unresolved")
    assert aramega("review", "resolve", workspace.root).code == 0
    assert "have reviews" not in publish(aramega, workspace, tmp_path / "set")
    rows = {row["id"]: row for row in load(tmp_path / "set")["ssum"]}
    assert rows[taken]["verified_summary"]
    assert turned_down not in rows
