from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from recipes.demo_asr.rows import LETTERS
from recipes.demo_asr.sentences import (
    draw_held_out_sentence,
    draw_sentence,
    draw_training_text,
    is_held_out,
    sample_sentences,
    vocabulary,
)
from recipes.demo_asr.voices import (
    HELD_OUT_VARIANTS,
    TRAINING_VARIANTS,
    Clip,
    RecordedSpeaker,
    SpeechCache,
    write_cache,
)

seeds = st.integers(0, 2**32)


@given(seeds)
def test_no_training_text_is_held_out_and_every_held_out_sentence_is(seed):
    assert not is_held_out(draw_training_text(random.Random(seed)))
    assert is_held_out(draw_held_out_sentence(random.Random(seed)))


@given(seeds)
def test_every_sentence_is_made_of_the_vocabulary(seed):
    assert set(draw_sentence(random.Random(seed)).split()) <= set(vocabulary())


def test_about_one_sentence_in_eight_is_held_out():
    rng = random.Random(0)
    share = sum(is_held_out(draw_sentence(rng)) for _ in range(4000)) / 4000
    assert 0.09 < share < 0.17


def test_the_sample_broadcasts_sentences_are_held_out_and_their_words_are_known():
    assert len(sample_sentences()) == 44
    for sentence in sample_sentences():
        assert is_held_out(sentence)
        assert set(sentence.split()) <= set(vocabulary())


def test_a_recorded_speakers_strings_are_not_held_out(four_words):
    speaker = RecordedSpeaker("someone", four_words)
    rng = random.Random(0)
    assert not any(is_held_out(speaker.utterance(rng, count).text) for count in (3, 4, 5) for _ in range(100))


def test_held_out_voices_do_not_train():
    assert not set(HELD_OUT_VARIANTS) & set(TRAINING_VARIANTS)


def test_a_cache_that_holds_a_held_out_sentence_does_not_give_it(tmp_path, four_words):
    held_out = sorted(sample_sentences())[0]
    write_cache(tmp_path, [*four_words, Clip(four_words[0].audio, held_out)])
    cache = SpeechCache(tmp_path)
    assert [cache[number].text for number in range(len(cache))] == [clip.text for clip in four_words]


def test_every_letter_of_the_vocabulary_has_a_place_in_the_letter_head():
    assert {letter for word in vocabulary() for letter in word} == set(LETTERS) - {" "}
