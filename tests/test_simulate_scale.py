"""The simulated cluster: everything is done once, more workers never take longer, and one worker takes the sum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulation import Run, Work, simulate

CHAIN = (
    Work("ingest", 2.0, driver=0.002),
    Work("passages", 1.0, driver=0.001),
    Work("transcribe", 40.0, driver=0.0005, batch=8, of_passages=True, crew="gpu"),
    Work("check", 0.5, driver=0.0005, batch=64, of_passages=True),
)
FREE_DRIVER = tuple(Work(w.name, w.seconds_an_hour, 0.0, w.batch, w.of_passages) for w in CHAIN)
LENGTHS = st.lists(st.floats(0.05, 6.0), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 9), st.integers(1, 5))
def test_every_item_is_done_once_at_every_stage(hours: list[float], cpus: int, gpus: int) -> None:
    done = simulate(hours, CHAIN, {"": cpus, "gpu": gpus}).done
    assert done["ingest"] == done["passages"] == len(hours)
    assert done["transcribe"] == done["check"] == int(sum(hours) * 40 + 1e-6)


@given(LENGTHS)
def test_one_worker_takes_the_sum_of_all_times(hours: list[float]) -> None:
    run = simulate(hours, FREE_DRIVER, {"": 1})
    assert run.wall == pytest.approx(sum(run.busy.values()))


@given(LENGTHS)
def test_the_drivers_time_adds_to_one_workers(hours: list[float]) -> None:
    chain = [Work(w.name, w.seconds_an_hour, w.driver, w.batch, w.of_passages) for w in CHAIN]
    run = simulate(hours, chain, {"": 1}, wake=0.001, look=0.0001)
    assert run.wall == pytest.approx(sum(run.busy.values()) + run.driver)


@given(LENGTHS, st.integers(1, 12))
def test_work_is_never_done_faster_than_all_workers_together_could(hours: list[float], workers: int) -> None:
    run = simulate(hours, FREE_DRIVER, {"": workers})
    assert run.wall >= sum(run.busy.values()) / workers - 1e-6


def test_more_workers_take_less_time_until_the_driver_is_what_holds_it_up() -> None:
    hours = [0.5] * 3000
    walls = [simulate(hours, CHAIN, {"": n, "gpu": 2 * n}).wall for n in (1, 2, 4, 8, 16, 32)]
    assert walls == sorted(walls, reverse=True)
    crowd = {"": 400, "gpu": 4000}
    run = simulate(hours, CHAIN, crowd)
    assert max(run.used(CHAIN, crowd), key=run.used(CHAIN, crowd).__getitem__) == "driver"


@given(LENGTHS, st.integers(1, 6))
def test_the_same_cluster_takes_the_same_time_again(hours: list[float], workers: int) -> None:
    def build() -> Run:
        return simulate(hours, CHAIN, {"": workers, "gpu": 1})

    assert build() == build()


def test_a_batch_waits_to_be_full_while_more_may_come() -> None:
    run = simulate([1.0], [Work("ingest", 1.0), Work("check", 1.0, batch=64, of_passages=True)], {"": 1})
    assert run.tasks == 2, "one recording, and its 40 passages in one batch that could not get fuller"
