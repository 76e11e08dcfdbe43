"""Normalization: what each profile does, and that doing it twice does nothing more."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.text import PROFILES, clean, european_digits, normalize, strip_diacritics

arabic = st.text(alphabet=st.characters(min_codepoint=0x0600, max_codepoint=0x06FF))
forms = st.text(alphabet=st.characters(min_codepoint=0xFB50, max_codepoint=0xFEFF))
broken = st.text(alphabet="اوءيأ و.،\u0653\u0654\u0655\u064b\u0651\u0640\u200d\u200fe\u0301٣5 \n")
texts = st.one_of(st.text(), arabic, forms, broken, st.tuples(arabic, st.text(), forms).map("".join))


@pytest.mark.parametrize("profile", PROFILES)
@given(text=texts)
def test_a_profile_applied_twice_is_the_profile_applied_once(profile, text):
    once = normalize(text, profile)
    assert normalize(once, profile) == once


@given(text=texts)
def test_cleaning_is_idempotent_and_comes_before_every_folding_profile(text):
    assert clean(clean(text)) == clean(text)
    for profile in ("light", "asr"):
        assert normalize(clean(text), profile) == normalize(text, profile)


@given(text=texts)
def test_cleaned_text_has_single_spaces_and_no_invisible_characters(text):
    cleaned = clean(text)
    assert not re.search(r"[\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\u0640]|\s\s|^\s|\s$", cleaned)


def test_cleaning_takes_out_bidi_controls_tatweel_and_presentation_forms():
    assert clean("\u202bالســـلام\u202c\u200f  عليكم\ufeff") == "السلام عليكم"
    assert clean("\ufefb\u00a0\ufedfكتاب") == "لا لكتاب"
    assert clean("ا\u0640\u0654") == "أ"


def test_light_keeps_punctuation_and_hamzas_but_not_diacritics():
    assert normalize("قالَ الوزيرُ: «إنّ ٢٥ طالبًا نجحوا!»", "light") == "قال الوزير: «إن 25 طالبا نجحوا!»"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("قالَ الوزيرُ: «نعم»!", "قال الوزير نعم"),
        ("آثار أمام إلى مؤمن بئر شيء", "اثار امام الى مومن بير شي"),
        ("پاريس ڤيديو", "باريس فيديو"),
        ("عام ٢٠٢٤ و۱۹", "عام 2024 و19"),
        ("جاء زيد و عمرو", "جا زيد وعمرو"),
        ("مدرسة على", "مدرسة على"),
        ("شاهدتُ الـ video على Facebook، أمس", "شاهدت ال video على Facebook امس"),
        ("كلمة،كلمة", "كلمةكلمة"),
        ("", ""),
        ("و", "و"),
    ],
)
def test_asr_follows_the_leaderboards_rules(text, folded):
    assert normalize(text, "asr") == folded


@given(text=arabic)
def test_diacritics_go_as_camel_tools_takes_them(text):
    dediac = pytest.importorskip("camel_tools.utils.dediac")
    # camel-tools knows nine marks; ours are those and rarer ones, so what it would remove is gone too.
    assert (
        dediac.dediac_ar(strip_diacritics(text)) == strip_diacritics(dediac.dediac_ar(text)) == strip_diacritics(text)
    )


def test_persian_and_arabic_digits_become_european():
    assert european_digits("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹ 0") == "0123456789 0123456789 0"


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(ValueError, match="none, light, asr"):
        normalize("نص", "arabic")


def test_marks_piled_up_without_end_are_taken_down_and_cost_no_time() -> None:
    """200,000 of them kept Unicode's own composition busy for minutes; no letter carries more than thirty."""
    piled = "ا" + "\u0301\u0316" * 100_000 + "ب"
    assert len(clean(piled)) == 32
    assert clean("شَّ" + "." * 50 + "é") == "شَّ" + "." * 50 + "é"


def test_half_a_character_is_taken_out() -> None:
    assert clean("a\ud83db 😀") == "ab 😀"
