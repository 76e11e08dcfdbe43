"""The report's drafts: Arabic right to left, how sure each line is by more than colour, sound beside text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aramega.config import Config
from aramega.pipeline import Pipeline
from aramega.records import Line
from aramega.report import write_report
from aramega.report.drafts import SHADES, gather_drafts, shade_of, shown_lines
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from tests.support.browser import DESKTOP, PHONE, open_page, running_browser
from tests.support.drafts import drafted_workspace, put_draft

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
EVIL = "<img src=x onerror=\"document.title='hacked'\"> قال\u202eالوزير"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    workspace = drafted_workspace(tmp_path, recordings=2, passages=3)
    with Store.create_or_open(workspace) as store:
        for i, passage in enumerate(find_passages(store)):
            item = load_drafted(store, passage)
            assert item.draft.transcript
            lines = tuple(
                replace(line, avg_logprob=-0.05 - 0.2 * (i + j)) for j, line in enumerate(item.draft.transcript.lines)
            )
            if i == 0:
                lines = (replace(lines[0], text=EVIL), *lines[1:])
            put_draft(store, replace(item.draft, transcript=replace(item.draft.transcript, lines=lines)))
        return write_report(store, Pipeline.from_config(Config(), workspace))


def test_lines_are_more_or_less_sure() -> None:
    assert [shade_of(p) for p in (0.0, 0.29, 0.45, 0.6, 0.75, 0.95, 1.0)] == [0, 0, 1, 2, 3, 4, 4]
    assert shade_of(1.0) == SHADES - 1


def test_a_line_that_no_model_heard_has_no_shade(tmp_path: Path) -> None:
    with Store.open(drafted_workspace(tmp_path, 1, 1, clips=False)) as store:
        item = load_drafted(store, next(find_passages(store)))
        known = item.draft.transcript
        assert known
        silent = replace(known, lines=(Line(known.lines[0].segment, "", 0.5, 9.5, flags=("nothing heard",)),))
        [line] = shown_lines(replace(item, draft=replace(item.draft, transcript=silent)))
        assert (line.shade, line.text) == (-1, "…")
        assert "nothing heard" in line.title


def test_drafts_in_numbers(tmp_path: Path) -> None:
    with Store.open(drafted_workspace(tmp_path, 2, 3, clips=False)) as store:
        facts = gather_drafts(store)
    assert facts
    assert (facts.counts.drafted, facts.counts.abstractive, facts.counts.tokens) == (6, 6, 6 * 150)
    assert [(d.decision, d.count, d.reasons) for d in facts.decided] == [("review first", 6, (("unsure", 6),))]


@pytest.mark.browser
def test_a_draft_is_read_from_right_to_left_and_heard_by_line(report: Path) -> None:
    with running_browser() as browser, open_page(browser, report, size=DESKTOP, scheme="light") as opened:
        page = opened.page
        lines = page.locator(".transcript .line")
        assert lines.count() == 12
        assert page.evaluate("getComputedStyle(document.querySelector('.transcript p')).direction") == "rtl"
        assert page.evaluate("getComputedStyle(document.querySelector('.summary')).direction") == "rtl"
        thickness = page.evaluate(
            "['.sure-0', '.sure-4'].map(s => document.querySelector(s) && getComputedStyle(document.querySelector(s)).borderBottomWidth)"
        )
        assert thickness[0] != thickness[1], "told by more than colour"
        second = page.locator(".card").first.locator(".transcript .line").nth(1)
        second.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelector('.card audio').currentTime > 5")
        assert page.title() != "hacked"
        assert page.get_by_text("onerror").first.is_visible()
        assert opened.complaints == []
        ARTIFACTS.mkdir(exist_ok=True)
        page.locator("#listen").screenshot(path=ARTIFACTS / "report-drafts.png")
        page.locator("#drafts").screenshot(path=ARTIFACTS / "report-decisions.png")


@pytest.mark.browser
def test_drafts_fit_a_phone(report: Path) -> None:
    with running_browser() as browser, open_page(browser, report, size=PHONE, scheme="dark") as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        opened.page.locator(".card").first.screenshot(path=ARTIFACTS / "report-drafts-phone.png")


SIDEWAYS = """() => [...document.querySelectorAll("*")]
    .filter(e => ["auto", "scroll"].includes(getComputedStyle(e).overflowY) || e.matches("pre, .transcript p"))
    .filter(e => !e.matches(".scroll") && e.clientWidth && e.scrollWidth > e.clientWidth)
    .map(e => `${e.tagName} ${e.clientWidth} < ${e.scrollWidth}: ${e.textContent.trim().slice(0, 40)}`)"""


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE, {"width": 800, "height": 900}], ids=["desktop", "phone", "tablet"])
def test_no_box_scrolls_sideways_however_long_a_line_is(tmp_path: Path, size: dict[str, int]) -> None:
    """Lines of every length, so that some end at a box's very edge, and one word without an end."""
    workspace = drafted_workspace(tmp_path, recordings=2, passages=3)
    words = "قال الوزير إن الجسر الذي افتتح اليوم على النهر سيخدم آلاف المسافرين بين المدينتين كل يوم".split()
    with Store.create_or_open(workspace) as store:
        for i, passage in enumerate(find_passages(store)):
            item = load_drafted(store, passage)
            assert item.draft.transcript
            text = [" ".join(words[(i + j) % 7 :] * (1 + j)) + "م" * (120 if j == i else 0) for j in range(6)]
            known = item.draft.transcript.lines
            lines = tuple(replace(known[j % len(known)], text=each) for j, each in enumerate(text))
            put_draft(store, replace(item.draft, transcript=replace(item.draft.transcript, lines=lines)))
        page = write_report(store, Pipeline.from_config(Config(), workspace))
    with running_browser() as browser, open_page(browser, page, size=size, scheme="light") as opened:
        assert opened.page.locator(".transcript p").count() >= 6
        opened.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert opened.page.evaluate(SIDEWAYS) == []
        assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
