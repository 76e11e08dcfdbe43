"""What examples are resampled by: their recording, else their speaker, else themselves."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.evaluation.groups import groups_of
from recipes.evaluation.predictions import Prediction
from recipes.evaluation.resampling import bootstrap, compare_paired
from recipes.tasks import build_tasks

ASR = build_tasks(["asr"])["asr"]


def rows(**columns):
    return [
        Prediction("asr", str(i), "", "", **{name: values[i] for name, values in columns.items()}) for i in range(4)
    ]


@pytest.mark.parametrize(
    ("columns", "unit", "count"),
    [
        ({}, "example", 4),
        ({"speaker": "aabb"}, "speaker", 2),
        ({"recording": "xyyy", "speaker": "aabb"}, "recording", 2),
        ({"recording": "wxyz", "speaker": "aabb"}, "speaker", 2),  # clips of one speaker that were each a file
        ({"recording": ["x", "", "", "x"], "speaker": "aabb"}, "speaker", 2),
        ({"recording": ["x", "", "", "x"]}, "recording", 3),  # two that say nothing are two
    ],
)
def test_the_unit_is_what_most_examples_know_and_of_two_the_coarser(columns, unit, count):
    groups = groups_of(rows(**columns))
    assert (groups.unit, groups.count) == (unit, count)


def tallies(errors):
    """One row an example: word errors of ten words."""
    table = np.zeros((*np.shape(errors), 10))
    table[..., 0], table[..., 1], table[..., 5] = errors, 10, 1
    return table


def test_a_single_group_is_none_since_nothing_could_be_drawn_of_it():
    table = tallies(np.arange(10) % 4)
    assert bootstrap(ASR, table, groups=["x"] * 10) == bootstrap(ASR, table)


def test_seeds_that_differ_widen_an_interval_from_three_on():
    rng = np.random.default_rng(0)
    steady = np.repeat(rng.poisson(3, size=(1, 200)), 3, axis=0)
    shaky = steady + np.array([[0], [1], [2]])
    widths = [(wer := bootstrap(ASR, tallies(runs))["wer"]).high - wer.low for runs in (steady, shaky, shaky[:2])]
    assert widths[1] > 4 * widths[0]
    assert widths[2] < 2 * widths[0]


def test_a_difference_no_larger_than_that_between_seeds_is_not_significant():
    rng = np.random.default_rng(1)
    base = rng.poisson(3, size=200)
    ours = np.stack([base, base + 1, base + 2])
    found = compare_paired(ASR, tallies(ours), tallies(ours + (rng.random(200) < 0.3)))["wer"]
    assert found.difference > 0
    assert not found.significant()
    assert found.detectable > found.difference
    single = compare_paired(ASR, tallies(ours[0]), tallies(ours[0] + (rng.random(200) < 0.3)))["wer"]
    assert single.significant()
