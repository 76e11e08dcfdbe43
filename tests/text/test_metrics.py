"""Metrics: the same numbers as jiwer, rouge_score and sacrebleu, on Arabic."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from aramega.text import cer, chrf, chrf_counts, chrf_from_counts, edit_counts, normalize, rouge, wer, words

word = st.sampled_from(["قال", "قالَ", "الوزير", "إن", "٢٥", "طالبا", "video", "،", "في", "و", "مدرسة", "أمس."])
sentence = st.lists(word, max_size=12).map(" ".join)
corpus = st.lists(st.tuples(sentence, sentence), min_size=1, max_size=8)


@given(pairs=corpus)
def test_error_rates_equal_jiwers_on_the_normalized_text(pairs):
    references, answers = (list(side) for side in zip(*pairs, strict=True))
    folded = [[normalize(text, "asr") for text in side] for side in (references, answers)]
    if not all(folded[0]):
        return  # jiwer refuses an empty reference
    assert wer(references, answers) == pytest.approx(jiwer.wer(*folded))
    assert cer(references, answers) == pytest.approx(jiwer.cer(*folded))


def test_an_empty_reference_counts_every_inserted_word():
    assert wer([""], ["كلمتان هنا"]) == 2
    assert wer([""], [""]) == 0
    assert edit_counts("", "abc") == (3, 0)


def test_the_profile_decides_what_is_an_error():
    assert wer(["إنّ"], ["ان"], profile="none") == 1
    assert wer(["إنّ"], ["ان"], profile="asr") == 0


class Words:
    def tokenize(self, text):
        return words(text)


SCORER = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Words())


@given(pair=st.tuples(sentence, sentence))
def test_rouge_equals_googles_once_that_has_our_tokenizer(pair):
    theirs = SCORER.score(*pair)
    for name, ours in rouge(*pair).items():
        assert tuple(ours) == pytest.approx((theirs[name].precision, theirs[name].recall, theirs[name].fmeasure))


def test_rouge_sees_arabic_where_googles_default_sees_nothing():
    text = "قال الوزير إن المشروع اكتمل"
    assert rouge(text, text)["rougeL"].f == 1
    assert rouge_scorer.RougeScorer(["rougeL"]).score(text, text)["rougeL"].fmeasure == 0


@given(pairs=corpus)
def test_chrf_equals_sacrebleus_for_a_sentence_and_for_a_corpus(pairs):
    references, answers = (list(side) for side in zip(*pairs, strict=True))
    assert chrf(references, answers) == pytest.approx(sacrebleu.corpus_chrf(answers, [references]).score)
    assert chrf(references[:1], answers[:1]) == pytest.approx(
        sacrebleu.corpus_chrf(answers[:1], [references[:1]]).score
    )


def test_chrf_of_many_resamples_is_one_call():
    rows = np.array([chrf_counts("مدرسة كبيرة", "مدرسة"), chrf_counts("بيت", "بيت")], dtype=float)
    weights = np.array([[1, 1], [2, 0], [0, 2]])
    scores = chrf_from_counts(weights @ rows)
    assert scores.shape == (3,)
    assert scores[2] == 100 > scores[0] > scores[1]
