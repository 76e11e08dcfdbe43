"""The whole of it on the command line: three annotators review a workspace, and a curator asks how it stands, how
well they agree, and for one answer. No server: reviews lie in the workspace as `pull` leaves them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aramega.api import Workspace
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.store.reviews import add_reviews, resolved_of
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run
from tests.support.drafts import Annotator, drafted_workspace

TASK = "https://ls.example/projects/1/data?task="


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six passages. Amal and Basim reviewed five, Dina made gold of two, rejected one and skipped one."""
    workspace = drafted_workspace(tmp_path_factory.mktemp("reviewed") / "ws", clips=False)
    amal, basim, dina = Annotator("amal"), Annotator("basim"), Annotator("dina")
    with Store.create_or_open(workspace) as store:
        for number, passage in enumerate(list(find_passages(store))[:5]):
            draft = load_drafted(store, passage).draft
            assert draft.transcript
            assert draft.summary
            text, summary, place = draft.transcript.text, draft.summary.text, f"{TASK}{number}"
            dialect = "MSA" if number % 2 else "EGY"
            first = amal.says(
                passage,
                transcript=text,
                summary=summary,
                dialect=dialect,
                emotion="neutral",
                seconds_spent=60.0,
                place=place,
            )
            second = basim.says(
                passage,
                verdict="fix",
                transcript=f"{text} شكرا لكم",
                summary=summary,
                dialect="MSA",
                emotion="neutral",
                place=place,
            )
            third = {
                0: dina.says(passage, transcript=text, dialect="EGY", gold=True, place=place),
                1: dina.says(passage, transcript=text, dialect="MSA", gold=True, place=place),
                2: dina.says(passage, verdict="reject", reason="music or advert: شارة", place=place),
                3: dina.says(passage, state="skipped", place=place),
                4: dina.says(passage, dialect="Klingon", emotion="neutral", place=place),
            }[number]
            add_reviews(store, [first, second, third])
    return workspace.root


def test_status_shows_who_has_done_what_and_makes_up_no_forecast(aramega: Run, reviewed: Path) -> None:
    said = aramega("review", "status", reviewed)
    assert said.code == 0
    assert "5 of 6 passages reviewed (83 %)" in said.out
    assert "No forecast: nothing was submitted in the last seven days" in said.out
    [amal] = [line.split() for line in said.out.splitlines() if line.strip().startswith("amal")]
    assert amal[:2] == ["amal", "5"]
    told = json.loads(aramega("review", "status", reviewed, "--json").out)
    assert (told["left"], told["annotators"][2]["annotator"], told["annotators"][2]["skip_rate"]) == (1, "dina", 0.2)


def test_agreement_shows_figures_with_intervals_and_the_disagreements_with_their_tasks(
    aramega: Run, reviewed: Path, tmp_path: Path
) -> None:
    said = aramega("review", "agreement", reviewed, "--worst", "2", "--html", tmp_path / "page.html")
    assert said.code == 0
    assert "3 annotators, 5 passages reviewed by two or more, 2 with gold" in said.out
    assert "Disagreements, the worst first (2 of 5)" in said.out
    assert f"{TASK}2" in said.out
    assert "verdict: amal says accept, basim says fix, dina says reject: music or advert: شارة" in said.out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f'<a href="{TASK}2"' in page
    assert "<mark>شكرا لكم</mark>" in page
    told = json.loads(aramega("review", "agreement", reviewed, "--json").out)
    [transcript] = [f for f in told["between"] if f["field"] == "transcript"]
    assert 0 < transcript["figures"]["cer"]["low"] <= transcript["figures"]["cer"]["value"]
    assert told["trust"]["amal"] > told["trust"]["basim"]


def test_resolve_settles_every_passage_and_again_changes_nothing(aramega: Run, reviewed: Path) -> None:
    said = aramega("review", "resolve", reviewed)
    assert said.code == 0
    assert "6 passages settled by majority, 6 with another answer than before" in said.out
    assert "dialect: Klingon" in said.out
    assert "6 passages settled by majority, 0 with another" in aramega("review", "resolve", reviewed).out
    gold = json.loads(aramega("review", "resolve", reviewed, "--policy", "gold", "--json").out)
    assert gold["verified"]["transcript"] == 5
    with Store.open(WorkspaceFolder(reviewed)) as store:
        first = resolved_of(store, next(find_passages(store)))
    assert first
    assert (first.dialect.value, first.dialect.how, first.dialect.annotators) == ("EGY", "gold", ("dina",))


@pytest.mark.parametrize(
    ("said", "kept"), [("IRA", "IRA"), ("KSA", "GLF"), ("MOR", "NOR"), ("PAL", "LEV"), ("YEM", "YEM"), ("LEV", "LEV")]
)
def test_a_country_that_is_no_dialect_of_the_inventory_counts_for_its_region(
    said: str, kept: str, tmp_path: Path
) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=1, passages=1, clips=False)
    with Store.create_or_open(workspace) as store:
        passage = next(find_passages(store))
        add_reviews(store, [Annotator("amal").says(passage, dialect=said)])
        Workspace(workspace.root).resolve()
        found = resolved_of(store, passage)
    assert found
    assert (found.dialect.value, found.dialect.verified) == (kept, True)


def test_the_referees_list_names_what_to_send_back(aramega: Run, reviewed: Path, tmp_path: Path) -> None:
    said = aramega("review", "resolve", reviewed, "--policy", "referee", "--for-referee", tmp_path / "ids.txt")
    assert f"aramega review push {reviewed} --project Referee --passages {tmp_path / 'ids.txt'}" in said.out
    waiting = json.loads(aramega("review", "resolve", reviewed, "--policy", "referee", "--json").out)
    with Store.open(WorkspaceFolder(reviewed)) as store:
        passages = list(find_passages(store))
    assert waiting["for_referee"] == [passages[2], passages[4]] == (tmp_path / "ids.txt").read_text().split()
    settled = json.loads(
        aramega("review", "resolve", reviewed, "--policy", "referee", "--referee", "basim", "--json").out
    )
    assert settled["for_referee"] == []


def test_only_the_passages_asked_for_are_looked_at(aramega: Run, reviewed: Path) -> None:
    told = json.loads(aramega("review", "status", reviewed, "--where", "dialect = 'EGY'", "--json").out)
    assert told["passages"] == 1
    said = aramega("review", "agreement", reviewed, "--where", "dialekt = 'EGY'")
    assert said.code == 2
    assert "dialekt" in said.err
    assert "Traceback" not in said.err


def test_a_workspace_nobody_has_reviewed_says_what_to_do_next(aramega: Run, tmp_path: Path) -> None:
    fresh = drafted_workspace(tmp_path / "ws", recordings=1, passages=1, clips=False).root
    assert "aramega review pull" in aramega("review", "status", fresh).out
    assert "aramega review push --overlap" in aramega("review", "agreement", fresh).out
    assert "0 reviewed" in aramega("review", "resolve", fresh).out


def test_a_policy_that_does_not_exist_is_wrong_usage(aramega: Run, reviewed: Path) -> None:
    said = aramega("review", "resolve", reviewed, "--policy", "best")
    assert (said.code, said.out) == (2, "")
    assert "'best' is not one of 'single', 'majority', 'gold', 'trusted', 'referee'" in " ".join(said.err.split())
