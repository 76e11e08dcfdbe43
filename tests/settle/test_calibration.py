"""A probability learned from reviews: that it holds on voices it has not heard, and that too little teaches nothing."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from aramega.errors import AramegaError
from aramega.records import Verdict, from_dict
from aramega.settle.at_random import at_random_place, is_drawn
from aramega.settle.calibration import Calibration, ReviewedDraft, calibrate
from aramega.settle.rates import measure_rates
from aramega.settle.reliability import measure_reliability

FACTS = ("avg_logprob", "snr_db", "words", "music_share")


def draw_reviews(number: int, speakers: int, seed: int, *, prefix: str = "") -> list[ReviewedDraft]:
    """Reviews of drafts whose chance to be right is known: it falls with noise and with the recognizer's doubt."""
    draw = random.Random(seed)
    reviews = []
    for i in range(number):
        logprob, snr = -abs(draw.gauss(0.4, 0.3)), draw.gauss(20, 8)
        chance = 1 / (1 + math.exp(-(1.5 + 4 * logprob + 0.08 * (snr - 20))))
        changed = 0 if draw.random() < chance else round(60 * (1 - chance))
        reviews.append(
            ReviewedDraft(
                passage=f"{prefix}p{i}",
                group=f"{prefix}speaker {i % speakers}",
                facts={"avg_logprob": logprob, "snr_db": snr, "words": 100, "music_share": None},
                score=math.exp(logprob),
                is_unchanged=not changed,
                errors={"transcript": (changed, 600)},
            )
        )
    return reviews


@pytest.fixture(scope="module")
def learned() -> Calibration:
    return calibrate(draw_reviews(600, 12, seed=1), FACTS)


def test_the_probability_holds_on_speakers_never_heard_and_the_score_does_not(learned: Calibration):
    others = draw_reviews(3000, 30, seed=2, prefix="other ")
    came_true = np.array([review.is_unchanged for review in others])
    confidence = measure_reliability(np.array([learned.probability(r.facts, r.score) for r in others]), came_true)
    score = measure_reliability(np.array([r.score for r in others]), came_true)
    assert confidence.ece < 0.05 < score.ece
    assert confidence.brier < score.brier


def test_errors_are_expected_where_they_happen(learned: Calibration):
    clear, noisy = ({"avg_logprob": level, "snr_db": 20, "words": 100} for level in (-0.1, -1.0))
    assert learned.expected_errors("transcript", clear, 0.9) < learned.expected_errors("transcript", noisy, 0.4)
    assert learned.expected_errors("summary", clear, 0.9) is None, "no review had changed one"


def test_what_is_always_the_same_teaches_nothing_and_what_is_not_known_counts_as_usual(learned: Calibration):
    assert set(learned.scale.names) == {"avg_logprob", "snr_db", "score"}
    usual = dict(zip(learned.scale.names, learned.scale.means, strict=True))
    assert learned.probability({}, usual["score"]) == learned.probability(usual, usual["score"])


def test_a_wild_fact_gives_no_wild_answer(learned: Calibration):
    far, farther = ({"avg_logprob": -0.3, "snr_db": level} for level in (200.0, 1e9))
    assert learned.probability(far, 0.7) == learned.probability(farther, 0.7) < 1


def test_it_survives_being_written_down(learned: Calibration):
    assert from_dict(Calibration, learned.to_dict()) == learned


def test_too_few_reviews_are_refused_by_number():
    with pytest.raises(AramegaError, match=r"40 more reviews of drafts as they are now, 2 more speakers"):
        calibrate(draw_reviews(60, 3, seed=1), FACTS)
    with pytest.raises(AramegaError, match="15 more reviews that change or reject a draft"):
        calibrate([r for r in draw_reviews(900, 9, seed=1) if r.is_unchanged], FACTS)


def test_a_perfect_forecast_has_the_error_that_chance_gives_it():
    draw = np.random.default_rng(3)
    chances = draw.random(400)
    perfect = measure_reliability(chances, draw.random(400) < chances)
    assert 0.5 * perfect.ece_by_chance < perfect.ece < 2 * perfect.ece_by_chance
    assert sum(held.drafts for held in perfect.bins) == 400


def test_those_drawn_at_random_are_a_tenth_of_any_beginning_of_the_order():
    verdicts = [Verdict(f"p{i}", "keep", (), 0.5, priority=i / 5000) for i in range(5000)]
    order = sorted(v.priority for v in verdicts if not is_drawn(v.passage, 0.1))
    placed = [at_random_place(v, order) if is_drawn(v.passage, 0.1) else v for v in verdicts]
    first = sorted(placed, key=lambda verdict: -verdict.priority)[:1000]
    assert 80 <= sum(is_drawn(verdict.passage, 0.1) for verdict in first) <= 120
    drawn = [i for i, v in enumerate(verdicts) if is_drawn(v.passage, 0.1) and placed[i] in first]
    assert 0.4 < sum(i < 2500 for i in drawn) / len(drawn) < 0.6, "whatever their own priority was"


def test_a_rejected_draft_stays_last():
    rejected = Verdict("p1", "reject", ("music",), 0.1, priority=0.0)
    assert at_random_place(rejected, [0.5, 0.9]) is rejected


def test_rates_rest_on_those_drawn_at_random_alone_and_grow_surer():
    reviews = draw_reviews(2000, 20, seed=4)
    rates = measure_rates(reviews, 0.1)
    fair = [review for review in reviews if is_drawn(review.passage, 0.1)]
    assert rates.reviews == len(fair)
    assert rates.accepted.value == pytest.approx(sum(r.is_unchanged for r in fair) / len(fair))
    half = (rates.accepted.high - rates.accepted.low) / 2
    assert half > rates.narrower[100] > rates.narrower[400] > rates.narrower[1600] > 0
    assert rates.errors["transcript"].low < rates.errors["transcript"].value < rates.errors["transcript"].high
    assert measure_rates([], 0.1).accepted is None
