"""Times of corrected words: none is lost, all are in order and within the segment."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aramega.records import Word
from aramega.settle.word_times import carry_times

WORDS = st.lists(st.sampled_from("قال الوزير إن الخطة جاهزة اليوم غدا".split()), max_size=12)


@given(WORDS, WORDS)
def test_every_word_has_its_place_in_order(heard: list[str], written: list[str]):
    said = [Word(text, i * 1.0, i + 0.8, 0.5) for i, text in enumerate(heard)]
    end = len(heard) + 0.5
    timed = carry_times(said, " ".join(written), 0.0, end)
    assert [word.text for word in timed] == written
    assert all(0 <= word.start <= word.end <= end for word in timed)
    assert all(one.end <= other.start for one, other in pairwise(timed))
    assert all(word.probability in (None, 0.5) for word in timed)


def test_what_nobody_changed_is_as_it_was_heard():
    said = [Word("قال", 1.0, 1.4, 0.9), Word("الوزير", 1.5, 2.0, 0.8)]
    times = [(word.start, word.end, word.probability) for word in carry_times(said, "قالَ الوزير", 1.0, 3.0)]
    assert times == [(1.0, 1.4, 0.9), (1.5, 2.0, 0.8)]
