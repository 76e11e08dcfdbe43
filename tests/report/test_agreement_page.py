"""The page and the tables show what annotators wrote, whatever that is, and never obey it."""

from __future__ import annotations

import re

import pytest

from aramega.cli.review_tables import show_agreement
from aramega.records import Review
from aramega.report.agreement_page import render_page
from aramega.settle.agreement import measure_agreement
from tests.support.drafts import Annotator

HOSTILE = '<script>alert(1)</script> [bold]نص[/bold] \u202eمقلوب\u202c \x1b[31m "onmouseover=x'


def two(one: str, other: str, **more: object) -> list[Review]:
    return [Annotator("amal").says("p", transcript=one, **more), Annotator("basim").says("p", transcript=other, **more)]


def test_both_texts_are_shown_with_what_the_other_lacks_marked() -> None:
    page = render_page(measure_agreement(two("قال الوزير، أمس", "قال الوزيرُ إنه سعيد")))
    assert "قال الوزير، <mark>أمس</mark>" in page
    assert "قال الوزيرُ <mark>إنه سعيد</mark>" in page


def test_on_the_page_markup_is_text_and_marks_that_turn_lines_can_be_seen() -> None:
    page = render_page(measure_agreement(two(HOSTILE, "نص", place="javascript:alert(1)")))
    assert "<script" not in page
    assert "‹U+202E›" in page
    assert not re.search("[\u202a-\u202e\x1b]", page)
    assert "href" not in page


def test_on_the_terminal_neither_markup_nor_escapes_are_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    show_agreement(measure_agreement(two(HOSTILE, "نص", place=f"https://ls.example/{HOSTILE}")), worst=5)
    shown = capsys.readouterr().out
    assert "[bold]" in shown
    assert not re.search("[\u202a-\u202e\x1b]", shown)


def test_arabic_is_printed_in_the_order_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    show_agreement(measure_agreement(two("فاز المنتخب الوطني", "فاز الفريق الوطني")), worst=5)
    shown = capsys.readouterr().out
    assert "amal: المنتخب" in shown
    assert "basim: الفريق" in shown


def test_a_page_without_disagreements_says_so() -> None:
    assert "<p>None.</p>" in render_page(measure_agreement(two("نعم", "نعم")))
