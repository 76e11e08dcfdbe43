"""The guidelines and the forms speak of the same things, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aramega.labelstudio.tasks import _IN_ARABIC
from aramega.records.choices import FLAGS, PERSONAL_DATA, REASONS, WHY_PREFERRED
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


def test_what_forms_offer_is_what_reviews_and_datasets_know_by_name() -> None:
    offered = {
        name: {
            choice.attrib["alias"]
            for form in FORMS
            for tag in form.iter("Choices")
            for choice in tag.iter("Choice")
            if tag.get("name") == name
        }
        for name in ("reason", "flags")
    }
    assert offered == {"reason": {*REASONS, *WHY_PREFERRED}, "flags": set(FLAGS)}


def test_every_form_lets_personal_data_be_flagged() -> None:
    assert all(PERSONAL_DATA in {c.get("alias") for c in form.iter("Choice")} for form in FORMS)


SEEN = "\n".join([ARABIC, *(ElementTree.tostring(form, encoding="unicode") for form in FORMS), *_IN_ARABIC.values()])
"""All that an annotator reads in Arabic."""


@pytest.mark.parametrize("word", "شيئا كلاما تقريبا حكما شكرا جدا مستمرا أيضا معا غدا".split())
def test_what_annotators_read_obeys_the_rule_of_tanwin(word: str) -> None:
    assert not re.search(rf"(?<!\w){word}(?!\w)", SEEN)


def test_a_passage_and_a_segment_have_one_word_each() -> None:
    regions = ElementTree.tostring(next(f for f in FORMS if f.find(".//Labels") is not None), encoding="unicode")
    assert "الأجزاء على الموجة" in regions
    assert "المقاطع على" not in SEEN


def test_hints_are_in_the_annotators_language() -> None:
    hints = [tag.get("hint", "") for form in FORMS for tag in form.iter("Choice")]
    assert any(hints)
    assert not re.search("[a-z]", " ".join(hints))


@pytest.mark.parametrize("button", ["Submit", "Skip", "Update"])
def test_buttons_are_named_as_the_page_names_them(button: str) -> None:
    assert f"({button})" in ARABIC
    assert button in ENGLISH
