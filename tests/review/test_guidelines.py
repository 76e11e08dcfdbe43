"""The guidelines and the forms speak of the same things, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aramega.text import normalize

ANNOTATION = Path(__file__).parents[2] / "annotation"
ARABIC, ENGLISH = ((ANNOTATION / f"guidelines.{language}.md").read_text(encoding="utf-8") for language in ("ar", "en"))
FORMS = [ElementTree.parse(path).getroot() for path in sorted(ANNOTATION.glob("*_*.xml"))]
CHOICES = {choice.attrib["value"]: choice.attrib["alias"] for form in FORMS for choice in form.iter("Choice")}
KEYS = {tag.attrib["hotkey"] for form in FORMS for tag in form.iter() if "+" in tag.attrib.get("hotkey", "")}


@pytest.mark.parametrize("choice", CHOICES, ids=CHOICES.get)
def test_every_choice_of_the_forms_is_explained(choice: str) -> None:
    shown = re.sub(r" \(.*\)", "", choice)
    assert shown in ARABIC
    assert CHOICES[choice] in ENGLISH.lower() or CHOICES[choice] in ENGLISH or shown in ENGLISH


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_of_the_forms_is_in_the_table(key: str) -> None:
    row = f"| {'+'.join(part.capitalize() for part in key.split('+'))} |"
    assert row in ARABIC
    assert row in ENGLISH


@pytest.mark.parametrize("mark", [r"#{1,3} ", r"\|", "- ", r"\d\. ", r"\*\*\d"])
def test_both_languages_have_the_same_parts(mark: str) -> None:
    assert len(re.findall(f"(?m)^{mark}", ARABIC)) == len(re.findall(f"(?m)^{mark}", ENGLISH)) > 0


def test_marks_for_what_was_not_understood_do_not_count_as_words() -> None:
    marked = "وصلت إلى [؟] وما زال (الطابق؟) المست- هنا"
    assert normalize(marked, "asr") == normalize("وصلت إلى وما زال الطابق المست هنا", "asr")
