"""The learning rate's course: over the run, or over each phase alike."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.config import TrainConfig
from recipes.schedule import ScheduleConfig, build_schedule
from recipes.schedule.synthetic import synthetic_table
from recipes.training.rates import batch_rate_share, rate_share


def test_a_constant_rate_stays_and_wsd_falls_only_at_the_end():
    constant, wsd = (TrainConfig(rate=rate, warmup_share=0.1, decay_share=0.2) for rate in ("constant", "wsd"))
    assert [rate_share(step, total=100, config=constant) for step in (0, 50, 99)] == pytest.approx([0.1, 1, 1])
    falling = [rate_share(step, total=100, config=wsd) for step in range(100)]
    assert falling[10:80] == [1.0] * 70
    assert np.all(np.diff(falling[79:]) < 0)
    assert falling[-1] == pytest.approx(wsd.final_rate_share)


def test_with_a_course_for_each_phase_no_stage_trains_at_a_lower_rate():
    batches = list(build_schedule(ScheduleConfig(kind="tpc", steps=90, batch_size=8), synthetic_table(500), seed=0))
    means = {}
    for span in ("run", "phase"):
        config = TrainConfig(rate_span=span)
        shares = {batch.phase: [] for batch in batches}
        for batch in batches:
            shares[batch.phase].append(batch_rate_share(batch, total=90, config=config))
        means[span] = [np.mean(values) for values in shares.values()]
    assert means["phase"] == pytest.approx([means["phase"][0]] * 3)
    assert means["run"][-1] < 0.25 < 0.85 < means["run"][0]
