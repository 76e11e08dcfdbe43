"""Storms: whatever falls on a build, it ends as a calm one. Four of them here; `python -m tests.chaos.storms` rages on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.blows import cannot_do
from tests.chaos.books import differences
from tests.chaos.storms import Climate, ride_out
from tests.chaos.weather import BLOWS, ON_S3, Engine, Kind, plan_storm

SEEDS = (121, 320, 369, 436)


@pytest.fixture(scope="module")
def climate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Climate]:
    made = Climate(tmp_path_factory.mktemp("storms"))
    yield made
    made.close()


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: str(plan_storm(seed)))
def test_a_build_that_is_struck_and_run_again_ends_like_a_calm_one(climate: Climate, seed: int) -> None:
    storm = plan_storm(seed)
    for what, why in cannot_do().items():
        if what is storm.engine or what in storm.kinds:
            pytest.skip(f"{what.value}: {why}")
    assert not list(ride_out(storm, climate).complaints())


def test_every_kind_of_blow_is_struck_by_one_of_these() -> None:
    storms = [plan_storm(seed) for seed in SEEDS]
    assert {kind for storm in storms for kind in storm.kinds} == set(Kind)
    assert {storm.engine for storm in storms} >= {Engine.LOCAL_2, Engine.CLUSTER}


def test_a_seed_is_the_same_storm_every_time_and_fifty_are_of_every_engine_and_kind() -> None:
    storms = [plan_storm(seed) for seed in range(1, 51)]
    assert storms == [plan_storm(seed) for seed in range(1, 51)]
    assert {storm.engine for storm in storms} == set(Engine)
    assert {kind for storm in storms for kind in storm.kinds} == set(Kind)
    assert all(blow.kind in (*BLOWS[storm.engine], *ON_S3) for storm in storms for run in storm.runs for blow in run)


def test_what_a_machine_cannot_do_is_in_none_of_its_storms() -> None:
    out = (Engine.RAY, Engine.CLUSTER, Kind.DISK)
    storms = [plan_storm(seed, left_out=out) for seed in range(50)]
    assert not any(storm.engine in out or Kind.DISK in storm.kinds for storm in storms)


def test_a_difference_is_told_by_name_and_by_how_many_rows() -> None:
    calm = {"passages": [(1,), (2,)], "clips/a.flac": "one", "database": "ok"}
    stormy = {"passages": [(1,), (3,), (4,)], "clips/a.flac": "two", "database": "ok"}
    found = differences(calm, stormy)
    assert found[0] == "clips/a.flac: one became two"
    assert found[1].startswith("passages: 1 gone [(2,)], 2 new")
    assert not differences(calm, calm)
