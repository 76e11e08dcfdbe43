"""The word diff: what was changed, and what was only spelt otherwise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aramega.settle.word_diff import LARGEST_ALIGNMENT, Piece, compare_words, list_changes, mark_changes

texts = st.lists(st.sampled_from("قال الوزير ، و إن أن الوزيرُ . نعم أمس".split()), max_size=12).map(" ".join)


def test_a_sign_or_a_diacritic_makes_no_other_word() -> None:
    assert compare_words("قال الوزير، أمس", "قال الوزيرُ إنه سعيد") == [
        Piece("same", "قال", "قال"),
        Piece("respelled", "الوزير،", "الوزيرُ"),
        Piece("cut", "أمس", ""),
        Piece("added", "", "إنه سعيد"),
    ]


def test_what_stands_in_the_place_of_what_is_one_change() -> None:
    pieces = compare_words("قال الوزير أمس كلمة", "قال المدير اليوم كلمة أخيرة")
    assert list_changes(pieces) == [("الوزير أمس", "المدير اليوم"), ("", "أخيرة")]


def test_texts_too_long_to_align_differ_as_wholes() -> None:
    words = " ".join(["كلمة"] * (int(LARGEST_ALIGNMENT**0.5) + 1))
    assert list_changes(compare_words(words, f"{words} أخرى")) == [(words, f"{words} أخرى")]


@given(texts, texts)
def test_both_texts_can_be_read_off_their_difference(old: str, new: str) -> None:
    ours, theirs = mark_changes(compare_words(old, new))
    assert " ".join(text for text, _ in ours).split() == old.split()
    assert " ".join(text for text, _ in theirs).split() == new.split()
