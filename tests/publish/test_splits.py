"""Splits: groups stay together, rows never move, and shares are met as well as whole groups allow."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.publish.splits import SPLITS, Member, Shares, SplitAssignments, assign, read_split_assignments
from aramega.records import AramegaError

SHARES = Shares(0.1, 0.1)

names = st.sampled_from(["", "", "a", "b", "c", "d", "e", "f"])
members = st.lists(
    st.builds(Member, st.integers(0, 200).map(lambda n: f"r{n}"), names, names, st.just({"": 1.0})),
    max_size=30,
    unique_by=lambda m: m.recording,
)


@given(members, members)
@settings(max_examples=150, deadline=None)
def test_adding_recordings_never_moves_one_that_was_published(old, new):
    first = assign(old, None, SHARES)
    known = {m.recording for m in old}
    second = assign([*old, *(m for m in new if m.recording not in known)], first.assignments, SHARES)
    published = set(first.split_of) - set(second.held_back)
    assert published == set(first.split_of)
    assert all(second.split_of[r] == first.split_of[r] for r in published)


@given(members, members)
@settings(max_examples=150, deadline=None)
def test_a_recording_a_speaker_and_a_programme_are_in_one_split_only_however_the_set_grew(old, new):
    known = {m.recording for m in old}
    everyone = [*old, *(m for m in new if m.recording not in known)]
    split_of = assign(everyone, assign(old, None, SHARES).assignments, SHARES).split_of
    for kind in ("speaker", "programme"):
        splits: dict[str, set[str]] = {}
        for member in everyone:
            if getattr(member, kind) and member.recording in split_of:
                splits.setdefault(getattr(member, kind), set()).add(split_of[member.recording])
        assert all(len(found) == 1 for found in splits.values())


@given(members)
@settings(max_examples=50, deadline=None)
def test_the_order_of_recordings_changes_nothing(found):
    assert assign(found, None, SHARES) == assign(list(reversed(found)), None, SHARES)


@given(members)
@settings(max_examples=50, deadline=None)
def test_everyone_is_placed_or_held_back_and_nobody_is_held_back_at_first(found):
    assignment = assign(found, None, SHARES)
    assert set(assignment.split_of) == {m.recording for m in found}
    assert not assignment.held_back
    assert set(assignment.split_of.values()) <= set(SPLITS)


def test_a_recording_that_would_tie_two_splits_together_is_held_back_and_the_old_ones_stay():
    old = [Member(f"r{n}", programme=f"p{n}", hours={"": 1.0}) for n in range(20)]
    first = assign(old, None, SHARES)
    train = next(m for m in old if first.split_of[m.recording] == "train")
    test = next(m for m in old if first.split_of[m.recording] == "test")
    bridge = Member("bridge", speaker="s", programme=train.programme)
    other = Member("other", speaker="s", programme=test.programme)
    second = assign([*old, bridge, other], first.assignments, SHARES)
    assert set(second.held_back) == {"other"}  # `bridge` came first, so `s` is a voice of train
    assert second.held_back["other"] == ("test", "train")
    assert second.split_of["bridge"] == "train"


def test_shares_are_met_within_a_few_per_cent_with_a_hundred_recordings():
    found = [Member(f"r{n}", hours={"": 1.0, f"dialect {n % 3}": 1.0}) for n in range(100)]
    counted = Counter(assign(found, None, SHARES).split_of.values())
    assert abs(counted["train"] - 80) <= 3
    assert abs(counted["validation"] - 10) <= 3
    assert abs(counted["test"] - 10) <= 3


def test_dialects_are_spread_over_the_splits_as_hours_are():
    found = [Member(f"r{n}", hours={"": 1.0, f"dialect {'EGY' if n % 4 else 'LEV'}": 1.0}) for n in range(120)]
    split_of = assign(found, None, SHARES).split_of
    rare = Counter(split_of[m.recording] for m in found if "dialect LEV" in m.hours)
    assert rare["test"] in range(1, 6)
    assert rare["validation"] in range(1, 6)


def test_a_set_of_one_recording_is_for_training():
    assert assign([Member("only", hours={"": 1.0})], None, SHARES).split_of == {"only": "train"}


def test_names_are_the_same_whatever_their_case_and_spaces():
    found = [Member("a", speaker="Amal  Said"), Member("b", speaker="amal said ")]
    split_of = assign([*found, *(Member(f"r{n}") for n in range(30))], None, SHARES).split_of
    assert split_of["a"] == split_of["b"]


def test_the_assignments_name_nobody_and_comes_back_from_its_file(tmp_path):
    assignments = assign([Member("r1", speaker="Amal", programme="News")], None, SHARES).assignments
    path = tmp_path / "splits.json"
    path.write_text(assignments.to_json(), encoding="utf-8")
    assert "Amal" not in assignments.to_json()
    assert read_split_assignments(path) == assignments


def test_assignments_that_cannot_be_read_are_an_error_that_says_what_it_is_for(tmp_path):
    path = tmp_path / "splits.json"
    path.write_text('{"salt": "x", "splits": {"k": "trian"}}', encoding="utf-8")
    with pytest.raises(AramegaError, match="restore it"):
        read_split_assignments(path)


def test_a_withdrawn_recording_leaves_the_assignments():
    found = [Member("r1"), Member("r2")]
    assignments = assign(found, None, SHARES).assignments
    after = assign(found[1:], assignments, SHARES, withdrawn=["r1"]).assignments
    assert assignments.key("recording", "r1") in assignments.keys
    assert assignments.key("recording", "r1") not in after.keys
    assert isinstance(after, SplitAssignments)
