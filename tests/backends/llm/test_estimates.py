"""Tokens and money: what is estimated, what may be spent, how long material is parted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.backends.llm import Message, Request
from aramega.backends.llm.estimates import Budget, at_most, request_tokens, split_to_fit, tokens_of
from aramega.backends.llm.journal import Spent

lines = st.lists(st.text("ابتث ", min_size=1, max_size=60).filter(str.strip).map(str.strip), max_size=30)


def test_tokens_are_characters_over_the_rule_rounded_up() -> None:
    assert tokens_of("سلام عليكم", 2.0) == 5
    assert tokens_of("سلا", 2.0) == 2
    request = Request((Message("system", "ا" * 100), Message("user", "ب" * 50)), "{}", 300)
    assert request_tokens(request, 2.0) == 50 + 25 + 2 * 6
    assert at_most(request, 2.0) == Spent(1, 87, 300)


def test_a_budget_of_tokens_counts_both_ways_and_over_all_runs() -> None:
    budget = Budget(max_tokens=1000)
    assert budget.objection(Spent(9, 500, 300), Spent(1, 100, 100)) == ""
    assert budget.objection(Spent(9, 500, 300), Spent(1, 100, 101)) == (
        "the budget of 1,000 tokens is used up (800 so far, the next request may take 201). "
        "Raise summarize.max_tokens_total and run again; what is done stays done."
    )


def test_a_budget_of_money_goes_by_the_prices() -> None:
    budget = Budget(max_cost=1.0, price_in=1.0, price_out=10.0)
    assert budget.cost(Spent(1, 500_000, 40_000)) == pytest.approx(0.9)
    assert budget.objection(Spent(1, 500_000, 40_000), Spent(1, 50_000, 5_000)) == ""
    assert "the budget of 1 is used up (0.9000 so far" in budget.objection(
        Spent(1, 500_000, 40_000), Spent(1, 60_000, 5_000)
    )


def test_no_limit_is_no_objection() -> None:
    assert Budget().objection(Spent(10**6, 10**9, 10**9), Spent(1, 10**6, 10**6)) == ""


def test_what_fits_stays_whole_and_what_does_not_is_parted_evenly() -> None:
    said = ["كلمة كلمة"] * 12
    assert split_to_fit(said, 1000) == [said]
    assert [len(part) for part in split_to_fit(said, 50)] == [4, 4, 4]


def test_summaries_are_joined_at_least_two_at_a_time_even_where_they_do_not_fit() -> None:
    assert [len(part) for part in split_to_fit(["ملخص " * 50] * 5, 100, at_least=2)] == [2, 3]


@given(lines, st.integers(5, 400))
def test_parts_fit_the_room_and_lose_nothing(said: list[str], room: int) -> None:
    parts = split_to_fit(said, room)
    assert "".join("".join(part) for part in parts).replace(" ", "") == "".join(said).replace(" ", "")
    assert all(sum(len(piece) + 1 for piece in part) <= room for part in parts)
    assert all(parts)


@given(lines.filter(lambda said: len(said) > 1), st.integers(5, 400))
def test_joining_always_comes_to_an_end(said: list[str], room: int) -> None:
    assert len(split_to_fit(said, room, at_least=2)) <= len(said) // 2
