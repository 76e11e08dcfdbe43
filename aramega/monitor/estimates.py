"""Estimates: how much each stage has still to do, and how long the slowest takes.

Beside the items that wait, those count that earlier stages are still to make: as many as they have made so far for each
of theirs. So the time left is a guess that gets better as the build goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aramega.monitor.status import StageStatus
from aramega.stages.base import Takes


def count_left(recordings: int, stages: Sequence[StageStatus], takes: Sequence[Takes]) -> dict[str, int]:
    """What each stage has still to do, if its items go on being made as they were."""
    left: dict[str, int] = {}
    expected: dict[Takes, float] = {Takes.SOURCE: 0.0, Takes.RECORDING: recordings, Takes.PASSAGE: 0.0}
    broken = dict.fromkeys(Takes, 0)
    for stage, kind in zip(stages, takes, strict=True):
        if kind is Takes.SOURCE:
            left[stage.stage] = stage.pending
            expected[Takes.RECORDING] += stage.pending
            continue
        broken[kind] += stage.failed  # what failed here no later stage gets
        left[stage.stage] = max(stage.pending, round(expected[kind]) - stage.done - broken[kind])
        if stage.makes == "passage":
            expected[Takes.PASSAGE] = stage.made_count + left[stage.stage] * stage.made_count / max(1, stage.done)
    return left


def seconds_left(left: int, items_a_minute: float) -> float | None:
    """How long the rest takes at this pace; None where nothing moves and something is left."""
    if not left:
        return 0.0
    return left * 60 / items_a_minute if items_a_minute else None


def longest(times: Iterable[float | None]) -> float | None:
    """The longest of the times of stages that work side by side; None where one of them is unknown."""
    estimates = list(times)
    seconds_known = [seconds for seconds in estimates if seconds is not None]
    return max(seconds_known, default=0.0) if len(seconds_known) == len(estimates) else None
