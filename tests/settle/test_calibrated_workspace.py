"""A workspace's own reviews make its drafts' confidence: counted only of the draft that was shown, and used at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import aramega as am
from aramega.records import Part, Review
from aramega.settle.reviewed_drafts import list_reviewed_drafts
from aramega.settle.shown import draft_fingerprint
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_passages
from aramega.store.reviews import add_reviews
from tests.support.cli import run_cli
from tests.support.drafts import Annotator, drafted_workspace, put_draft


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve recordings of ten passages: where the recognizer was unsure, the annotator typed a word more."""
    workspace = drafted_workspace(tmp_path_factory.mktemp("reviewed"), 12, 10, clips=False)
    with Store.create_or_open(workspace) as store:
        add_reviews(store, list(_reviews(store)))
    return workspace.root


def _reviews(store: Store) -> Iterator[Review]:
    amal = Annotator("amal")
    for number, item in enumerate(load_passages(store, list(find_passages(store)), Part.ALL)):
        level = -0.1 - 0.05 * (number % 17)
        assert item.draft.check
        put_draft(store, replace(item.draft, check=replace(item.draft.check, avg_logprob=level)))
        assert item.draft.transcript
        text = item.draft.transcript.text + (" أمس" if number % 17 > 5 + number % 5 else "")
        yield amal.says(item.id, transcript=text, draft=draft_fingerprint(item.draft))


def test_reviews_become_confidence_and_an_order(folder: Path):
    workspace = am.open(folder)
    assert workspace.passages().to_pandas().confidence.isna().all()
    calibration = workspace.review.calibrate()
    assert (calibration.reviews, calibration.groups) == (120, 12)
    assert calibration.reliability.brier < calibration.score_reliability.brier
    table = workspace.passages().to_pandas()
    assert table.confidence.between(0, 1).all()
    assert table.score.between(0, 1).all()
    with Store.open(workspace.folder) as store:
        surest = next(find_passages(store, "confidence IS NOT NULL", order="confidence DESC", limit=1))
        [item] = load_passages(store, [surest])
        assert item.draft.check.avg_logprob > -0.4
        assert item.draft.verdict.expected_cer < 0.1


def test_the_report_draws_whether_confidence_holds(folder: Path):
    am.open(folder).review.calibrate()
    assert run_cli("report", folder).code == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert '<svg class="reliability"' in page
    assert "Calibration error" in page


def test_the_command_says_what_it_rests_on_and_a_dry_run_keeps_nothing(folder: Path, tmp_path: Path):
    dry = run_cli("review", "calibrate", folder, "--dry-run", "--json")
    assert (dry.code, json.loads(dry.out)["reviews"]) == (0, 120)
    assert "Learned from 120 reviews of 12 speakers or recordings" in run_cli("review", "calibrate", folder).out
    fresh = drafted_workspace(tmp_path, 2, 3, clips=False)
    refused = run_cli("review", "calibrate", fresh.root)
    assert refused.code == 75
    assert "too few reviews to calibrate by: 100 more reviews" in refused.err


def test_a_review_of_another_draft_teaches_nothing_of_this_one(tmp_path: Path):
    workspace = drafted_workspace(tmp_path, 1, 2, clips=False)
    with Store.create_or_open(workspace) as store:
        first, second = find_passages(store)
        amal = Annotator("amal")
        add_reviews(store, [amal.says(first, draft="of last week"), amal.says(second, verdict="reject")])
        [reviewed] = list_reviewed_drafts(store, [first, second])
    assert (reviewed.passage, reviewed.is_unchanged, reviewed.errors) == (second, False, {})


def test_status_says_how_good_the_drafts_are(folder: Path):
    (folder / "aramega.toml").write_text("[check]\nrandom_share = 1.0\n", encoding="utf-8")
    status = run_cli("review", "status", folder)
    assert "Drafts, by 120 reviews of passages drawn at random: accepted unchanged" in status.out
