"""Leaks: the same recording, speaker, programme or words in two splits."""

from __future__ import annotations

import random

import pytest

from aramega.publish.leaks import SplitRow, find_leaks, signature_of

WORDS = [f"كلمة{n}" for n in range(2000)]


def said(number: str, split: str, text: str = "", **about: str) -> SplitRow:
    known = {"recording": number, "speaker": "", "programme": "", **about}
    return SplitRow(number, split, signature=signature_of(text), **known)


def some_text(seed: int, words: int = 80) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


@pytest.mark.parametrize("kind", ["recording", "speaker", "programme"])
def test_a_name_in_two_splits_leaks_and_the_row_for_training_is_the_one_to_drop(kind):
    rows = [said("a", "train", **{kind: "X"}), said("b", "test", **{kind: "x "})]
    (leak,) = find_leaks(rows, 0.8)
    assert (leak.kind, leak.other, leak.leaked) == (kind, "b", "a")


def test_unknown_names_are_nobody_in_particular():
    assert not list(find_leaks([said("a", "train"), said("b", "test")], 0.8))


def test_a_transcript_with_a_few_other_words_is_found_in_another_split():
    text = some_text(1)
    heard_otherwise = " ".join([*text.split()[:-2], "شيء", "آخر"])
    rows = [said("a", "train", text), said("b", "validation", heard_otherwise), said("c", "train", some_text(2))]
    (leak,) = find_leaks(rows, 0.8)
    assert (leak.kind, leak.other, leak.leaked, leak.splits) == ("transcript", "b", "a", ("validation", "train"))


def test_the_same_words_with_other_vowels_and_digits_are_the_same_transcript():
    rows = [said("a", "train", "قالَ إنَّ العدد ٢٥٠ اليوم"), said("b", "test", "قال ان العدد 250 اليوم")]
    assert [leak.leaked for leak in find_leaks(rows, 0.8)] == ["a"]


def test_twice_the_same_in_one_split_is_no_leak():
    text = some_text(3)
    assert not list(find_leaks([said("a", "train", text), said("b", "train", text)], 0.8))


def test_transcripts_that_share_half_their_words_are_different():
    text = some_text(4).split()
    rows = [said("a", "train", " ".join(text)), said("b", "test", " ".join([*text[:40], *some_text(5, 40).split()]))]
    assert not list(find_leaks(rows, 0.8))


def test_every_near_duplicate_of_many_is_found():
    rows = [said(f"test{n}", "test", some_text(n)) for n in range(100)]
    rows += [said(f"train{n}", "train", f"{some_text(n)} {WORDS[n]}") for n in range(100)]
    rows += [said(f"other{n}", "train", some_text(1000 + n)) for n in range(300)]
    assert {leak.leaked for leak in find_leaks(rows, 0.8)} == {f"train{n}" for n in range(100)}
