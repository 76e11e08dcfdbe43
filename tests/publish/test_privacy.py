"""Privacy: nothing that annotators write for their team is in any byte of what is published, and what somebody flags as
personal data is not published at all."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.cli import run
from aramega.config.publish import CONFIGURATIONS, PublishConfig
from aramega.labelstudio.annotations import TaskReader, parse_task
from aramega.labelstudio.form import load_template, read_form
from aramega.labelstudio.tasks import make_task
from aramega.publish.anonymous import Pseudonyms, public_answer, public_reviews
from aramega.publish.as_json import to_json, values_of
from aramega.publish.selection import WITHHELD
from aramega.records import Region, ResolvedPassage, Review
from aramega.records.choices import FLAGS, PERSONAL_DATA, REASONS
from aramega.settle.personal import is_withheld
from aramega.settle.policies import Policy
from aramega.settle.resolve import resolve_workspace
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import find_passage, load_drafted
from aramega.store.reviews import add_reviews
from aramega.workspace import WorkspaceFolder
from tests.publish.sets import a_set, publish_to
from tests.support.database import connection_of
from tests.support.drafts import Annotator

FORM = load_template("passage_review").replace(
    "</View>\n</View>\n", '<TextArea name="note" toName="audio" value="$title"/></View>\n</View>\n'
)
"""Ours, with one more box, which pull does not read."""
AUDIO = "https://clips.example.org/{}.flac"
FORMATS = ("parquet", "webdataset", "lhotse", "nemo")


def answer(number: int, who: int, **fields: str | list[str]) -> dict[str, Any]:
    """An annotation as Label Studio gives it."""
    values = [
        {"from_name": name, "value": {"choices": [said] if isinstance(said, str) else said}}
        if name in ("verdict", "reason", "dialect", "emotion", "flags")
        else {"from_name": name, "value": {"text": [said]}}
        for name, said in fields.items()
    ]
    when = f"2026-02-01T10:{number // 60:02d}:{number % 60:02d}Z"
    return {
        "id": number,
        "completed_by": who,
        "created_at": when,
        "updated_at": when,
        "lead_time": 31.25,
        "result": values,
    }


def pull(
    workspace: WorkspaceFolder, *said: tuple[str, dict[str, Any]], drafts: tuple[tuple[str, dict[str, Any]], ...] = ()
) -> None:
    """Take annotations of passages as `aramega review pull` does."""
    form = read_form(FORM)
    with Store.create_or_open(workspace) as store:
        people = {1: "amal@example.org", 2: "basim@example.org", 3: "dina@example.org"}
        desk = TaskReader("http://labels.example.org", 7, form, people, lambda p: find_passage(store, p), lambda _: "")
        for passage in find_passages(store):
            task = {"id": 5, **make_task(load_drafted(store, passage), AUDIO.format(passage), form, "v1")}
            task["annotations"] = [a for p, a in said if p == passage]
            task["drafts"] = [a for p, a in drafts if p == passage]
            taken = parse_task(task, desk)
            assert not taken.refused
            add_reviews(store, taken.reviews)


def settle(workspace: WorkspaceFolder, policy: str, *referees: str) -> None:
    with Store.create_or_open(workspace) as store:
        resolve_workspace(store, Policy(policy, referees=referees))  # type: ignore[arg-type]


def everything(folder: Path) -> Iterator[str]:
    """All that can be read in a folder: names, bytes, what is packed, every column of every table."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield str(path.relative_to(folder))
        yield path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield repr(table.schema.metadata)
            yield json.dumps([{**row, "audio": None} for row in table.to_pylist()], ensure_ascii=False, default=repr)
        elif path.suffix == ".gz":
            yield gzip.decompress(path.read_bytes()).decode()
        elif path.suffix == ".tar":
            with tarfile.open(path) as tar:
                for member in tar:
                    content = tar.extractfile(member)
                    assert content
                    yield content.read().decode("utf-8", "replace")


def found_in(folder: Path, marks: dict[str, str]) -> set[str]:
    texts = list(everything(folder))
    return {where for where, mark in marks.items() if any(mark in text for text in texts)}


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> tuple[WorkspaceFolder, dict[str, str], dict[str, str]]:
    """A reviewed workspace with a mark of its own in every place where an annotator writes: those that nobody may find in
    what is published, and those of answers, which are."""
    workspace = a_set(tmp_path_factory.mktemp("marked") / "w", recordings=3, passages=3)
    with Store.open(workspace) as store:
        kept, outvoted, rejected, flagged, skipped, begun, asked, gold, other = find_passages(store)
    secret, public = {}, {}

    def mark(where: str) -> str:
        secret[where] = f"zqx{len(secret):02d}سرxqz"
        return secret[where]

    def seen(where: str) -> str:
        public[where] = f"vqw{len(public):02d}جهرwqv"
        return f"قال المتحدث {public[where]} في الخبر."

    accept = {"verdict": "accept", "dialect": "MSA", "emotion": "neutral"}
    said = (
        (kept, answer(1, 1, **accept, transcript=seen("transcript"), summary=seen("summary"), title=seen("title"), comment=mark("comment"), note=mark("box"))),
        (kept, answer(2, 2, **accept, reason=["cut"], comment=mark("comment to a reason"))),
        (outvoted, answer(3, 1, verdict="reject", reason="other", comment=mark("why it is outvoted"), transcript=mark("outvoted text"))),
        (outvoted, answer(4, 2, **accept, comment=mark("comment of the majority"))),
        (outvoted, answer(5, 3, **accept)),
        (rejected, answer(6, 1, verdict="reject", reason="music or advert", comment=mark("remark to a reason"), transcript=mark("rejected transcript"), summary=mark("rejected summary"), title=mark("rejected title"))),
        (flagged, answer(7, 1, **accept, transcript=mark("personal transcript"), flags=[PERSONAL_DATA], comment=mark("personal comment"))),
        (flagged, answer(8, 2, **accept)),
        (flagged, answer(9, 3, **accept)),
        (skipped, {**answer(10, 1, comment=mark("comment when skipping"), transcript=mark("skipped transcript")), "was_cancelled": True}),
        (skipped, answer(11, 2, **accept)),
        (asked, answer(12, 1, verdict="reject", comment=mark("a rejection without a reason"))),
        (gold, {**answer(13, 1, **accept, comment=mark("comment of gold")), "ground_truth": True}),
        (other, answer(14, 1, verdict="reject", reason=mark("reason of someone's own"))),
        (other, answer(15, 2, **accept, comment=mark("half and half"))),
    )  # fmt: skip
    drafts = ((begun, answer(16, 1, comment=mark("comment begun"), transcript=mark("transcript begun"))),)
    pull(workspace, *said, drafts=drafts)
    with Store.create_or_open(workspace) as store:
        row = load_drafted(store, rejected).draft
        assert row.transcript
        secret["draft of a rejected passage"] = row.transcript.lines[0].text
    secret |= {"name": "@example.org", "place": "labels.example.org", "seconds": "31.25", "time": "2026-02-01T10"}
    return workspace, secret, public


@pytest.mark.parametrize("policy", ["single", "majority", "gold", "referee"])
def test_nothing_annotators_wrote_for_their_team_is_in_any_configuration(
    marked: tuple[WorkspaceFolder, dict[str, str], dict[str, str]], tmp_path: Path, policy: str
) -> None:
    workspace, secret, public = marked
    settle(workspace, policy)
    publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS, test_verified_only=False)
    assert found_in(tmp_path / "set", secret) == set()
    assert found_in(tmp_path / "set", public) == public.keys() or policy == "single"


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_annotators_wrote_for_their_team_is_in_any_format(
    marked: tuple[WorkspaceFolder, dict[str, str], dict[str, str]], tmp_path: Path, format: str
) -> None:
    workspace, secret, public = marked
    settle(workspace, "majority")
    folder = tmp_path / "set"
    publish_to(workspace, folder, format=format, test_verified_only=False)
    publish_to(workspace, folder, format=format, test_verified_only=False, min_seconds=1)
    assert found_in(folder, secret) == set()
    assert "summary" in found_in(folder, public)


def test_a_page_that_can_be_mailed_holds_no_comments_and_no_names(
    marked: tuple[WorkspaceFolder, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    workspace, secret, public = marked
    settle(workspace, "majority")
    publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS, test_verified_only=False)
    secret = {where: mark for where, mark in secret.items() if "draft" not in where}
    for place in (workspace.root, tmp_path / "set"):
        (tmp_path / "page").mkdir(exist_ok=True)
        assert run(["browse", str(place), "--to", str(tmp_path / "page" / "index.html"), "--sound-mb", "0"]) == 0
        assert found_in(tmp_path / "page", secret) == set()
        assert found_in(tmp_path / "page", public) == public.keys()


def test_raw_is_published_only_where_it_is_asked_for(tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=2)
    publish_to(workspace, tmp_path / "set")
    assert "raw" not in PublishConfig().configurations
    assert not (tmp_path / "set" / "raw").exists()
    assert "`raw`" not in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")


def test_raw_of_a_rejected_passage_holds_verdicts_and_chosen_reasons_and_no_text(
    marked: tuple[WorkspaceFolder, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    workspace, *_ = marked
    settle(workspace, "majority")
    publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS, test_verified_only=False)
    rows = {
        row["id"]: row for path in (tmp_path / "set/raw").glob("*.parquet") for row in pq.read_table(path).to_pylist()
    }
    with Store.open(workspace) as store:
        _, outvoted, rejected, flagged, *_ = find_passages(store)
    assert flagged not in rows
    row = rows[rejected]
    assert not row["accepted"]
    assert [row[name] for name in row if name.startswith("draft")] == [None] * 4
    [review] = json.loads(row["reviews"])
    assert (review["verdict"], review["reason"]) == ("reject", "music or advert")
    assert {review[name] for name in ("transcript", "summary", "title")} == {None}
    assert json.loads(row["resolved"])["reason"] == "music or advert"
    assert rows[outvoted]["draft_transcription"]


def test_what_rejected_a_passage_is_told_by_the_names_of_choices(
    marked: tuple[WorkspaceFolder, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    workspace, *_ = marked
    settle(workspace, "majority")
    made = publish_to(workspace, tmp_path / "set", test_verified_only=False)
    rejected = {
        reason for reason, times in made.plan.funnel.items() if reason.startswith("rejected by reviewers") and times
    }
    assert rejected == {
        "rejected by reviewers: music or advert",
        "rejected by reviewers: other",
        "rejected by reviewers: 1 of 2 annotators reject it: other",
    }


TEXT = st.text(max_size=20).map(lambda text: f"zqx{text}")
REVIEWS = st.builds(
    Review,
    id=TEXT,
    passage=st.just("p"),
    annotator=TEXT,
    state=st.sampled_from(["submitted", "skipped", "draft"]),
    updated_at=TEXT,
    created_at=TEXT,
    verdict=st.sampled_from(["", "accept", "fix", "reject"]),
    reason=st.one_of(TEXT, st.sampled_from(REASONS), st.tuples(st.sampled_from(REASONS), TEXT).map(": ".join)),
    flags=st.lists(st.sampled_from(FLAGS)).map(tuple),
    regions=st.lists(st.builds(Region, st.just(0.0), st.just(1.0), st.just("جهر"))).map(tuple),
    seconds_spent=st.none() | st.just(31.25),
    place=TEXT,
)


@given(st.lists(REVIEWS, max_size=4), st.booleans())
def test_no_review_however_made_shows_more_than_its_answers(reviews: list[Review], accepted: bool) -> None:
    told = to_json([values_of(one) for one in public_reviews(reviews, Pseudonyms("salt"), accepted=accepted)])
    assert "zqx" not in told
    assert "31.25" not in told
    assert accepted or "جهر" not in told


@given(st.one_of(TEXT, st.tuples(st.sampled_from(["2 of 3 annotators reject it", *REASONS]), TEXT).map(": ".join)))
def test_why_people_rejected_a_passage_is_never_in_their_own_words(reason: str) -> None:
    settled = ResolvedPassage("p", accepted=False, reason=reason, reviews=("r",))
    assert "zqx" not in public_answer(settled, Pseudonyms("salt")).reason


def test_one_flag_for_personal_data_keeps_a_passage_out_before_and_after_it_is_resolved(tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=3)
    with Store.open(workspace) as store:
        flagged, *others = find_passages(store)
    accept = {"verdict": "accept", "dialect": "MSA"}
    pull(workspace, *((passage, answer(20 + i, 2, **accept)) for i, passage in enumerate(others)))
    pull(workspace, (flagged, answer(1, 1, **accept, flags=[PERSONAL_DATA])), (flagged, answer(2, 2, **accept)), (flagged, answer(3, 3, **accept)))  # fmt: skip

    def withheld() -> int:
        made = publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS, test_verified_only=False)
        assert any(one.id == flagged for rows in made.plan.raw.values() for one in rows) == (
            not made.plan.funnel[WITHHELD]
        )
        return made.plan.funnel[WITHHELD]

    assert withheld() == 1  # pulled is enough
    for policy in ("single", "majority", "gold", "trusted", "referee"):
        settle(workspace, policy)
        with Store.open(workspace) as store:
            assert connection_of(store).execute("SELECT accepted, reason FROM resolved WHERE passage = ?", (flagged,)).fetchone()[:] == (0, PERSONAL_DATA)  # fmt: skip
        assert withheld() == 1
    settle(workspace, "majority", "dina@example.org")  # her review is later than the flag, and without it
    assert withheld() == 0
    pull(workspace, (flagged, answer(4, 2, **accept, flags=[PERSONAL_DATA])))
    assert withheld() == 1  # flagged again, not yet resolved


def test_an_annotator_takes_a_flag_back_and_gold_clears_it(tmp_path: Path) -> None:
    amal, lead = Annotator("amal"), Annotator("lead", count=10)
    first = amal.says("p", verdict="reject", reason=f"{PERSONAL_DATA}: رقم")
    cleared = lead.says("p", gold=True)
    assert is_withheld([first])
    assert not is_withheld([first, amal.says("p")])
    assert not is_withheld([first, cleared])
    assert is_withheld([first, replace(cleared, gold=False)])
    assert not is_withheld([first, replace(cleared, gold=False)], referees=["lead"])
    assert is_withheld([first, replace(cleared, verdict="reject")])
    assert is_withheld([first, replace(cleared, flags=(PERSONAL_DATA,))])
    assert is_withheld([replace(first, updated_at="2026-03-01T10:00:00+00:00"), cleared])
