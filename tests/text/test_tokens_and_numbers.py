"""Words, sentences, and numbers however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.text import arabic_share, numbers, sentences, tokenize, words


def test_words_are_of_any_script_and_keep_their_marks():
    assert words("قالَ: «Facebook، 25٪» — نعم!") == ["قالَ", "Facebook", "25", "نعم"]


def test_sentences_end_at_marks_and_line_breaks_but_not_inside_numbers():
    assert sentences("ارتفع 3.5 بالمئة. هل يكفي؟ نعم!\nانتهى") == ["ارتفع 3.5 بالمئة.", "هل يكفي؟", "نعم!", "انتهى"]
    assert sentences("نص بلا علامات") == ["نص بلا علامات"]
    assert sentences("  ") == []


def test_a_title_of_one_letter_ends_no_sentence_and_a_digit_does():
    assert sentences("قال د. محمد إن العدد 5. ثم سكت.") == ["قال د. محمد إن العدد 5.", "ثم سكت."]


@given(text=st.text(alphabet="قال .؟!»\n 3"))
def test_sentences_lose_nothing_but_space(text):
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_camel_tools_splits_punctuation_off():
    pytest.importorskip("camel_tools")
    assert tokenize("نعم، قال: «حسنا».") == ["نعم", "،", "قال", ":", "«", "حسنا", "»", "."]


def test_the_arabic_share_counts_letters_only():
    assert arabic_share("نعم OK 123") == pytest.approx(3 / 5)
    assert arabic_share("123 !") == 0


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("25 و٢٥ وخمسة وعشرون", [25, 25, 25]),
        ("3,500,000 أو ٣٬٥٠٠٬٠٠٠ أو 3.5 مليون", [3_500_000] * 3),
        ("مئة وخمسة وعشرون ألفا وثلاثمئة", [125_300]),
        ("أحد عشر كوكبا واثنتا عشرة عينا وثلاثة عشر", [11, 12, 13]),
        ("ثلاثة ملايين ونصف", [3_500_000]),
        ("في عام ألفين وأربعة وعشرين", [2024]),
        ("ألف وتسعمئة وثمانية وأربعون", [1948]),
        ("خمسة وستة", [5, 6]),
        ("واحد اثنان ثلاثة", [1, 2, 3]),
        ("بالمئة", [100]),
        ("عشرة آلاف، عشرة", [10_000, 10]),
        ("مليون ومئتا ألف", [1_000_000, 1000]),
        ("مليون ومئتي ألف", [1_200_000]),
        ("2024/11/21", [2024, 11, 21]),
        ("بلا أعداد", []),
    ],
)
def test_numbers_in_digits_and_in_words_have_the_same_value(text, values):
    assert numbers(text) == values


UNITS = ["", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"]
TENS = ["", "", "عشرون", "ثلاثون", "أربعون", "خمسون", "ستون", "سبعون", "ثمانون", "تسعون"]
HUNDREDS = ["", "مئة", "مئتان", "ثلاثمئة", "أربعمئة", "خمسمئة", "ستمئة", "سبعمئة", "ثمانمئة", "تسعمئة"]


def spell(number: int) -> str:
    """A number from 1 to 999,999 as a newsreader says it."""
    thousands, rest = divmod(number, 1000)
    parts = []
    if thousands:
        parts.append({1: "ألف", 2: "ألفان"}.get(thousands, f"{spell(thousands)} ألف"))
    hundreds, small = divmod(rest, 100)
    if hundreds:
        parts.append(HUNDREDS[hundreds])
    if 11 <= small <= 12:
        parts.append(f"{ {11: 'أحد', 12: 'اثنا'}[small] } عشر".strip())
    elif 13 <= small <= 19:
        parts.append(f"{UNITS[small - 10]} عشر")
    elif small == 10:
        parts.append("عشرة")
    elif small:
        parts += [part for part in (UNITS[small % 10], TENS[small // 10]) if part]
    return " و".join(parts)


@given(number=st.integers(1, 999_999))
def test_every_number_below_a_million_is_read_back(number):
    assert numbers(spell(number)) == [number]
