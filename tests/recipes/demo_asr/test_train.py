from __future__ import annotations

import json
import multiprocessing
import os
import signal
from pathlib import Path

import torch

from recipes.demo_asr.rows import Source, Tokens
from recipes.demo_asr.train import Phase, Plan, load_state, make_phases, train
from recipes.demo_asr.voices import SpeechCache
from tests.recipes.demo_asr.conftest import toy_model

SMALL = {"short_batch": 4}
# Within the warm-up the rate does not depend on how many steps are to come.
WARMING_UP = {**SMALL, "warm_up": 10_000, "peak_rate": 0.5}


def train_for_ever(cache: Path, out: Path) -> None:
    """In a process of its own, to be killed."""
    torch.set_num_threads(1)
    plan = Plan((Phase("letters", 10**6, 1.0, 0.0),), **WARMING_UP)
    train(toy_model(Tokens()), Source(SpeechCache(cache), []), plan, out, save_every=2)


def test_a_killed_run_goes_on_from_its_saved_step_and_ends_where_an_unbroken_one_does(tmp_path, cache_folder, tokens):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    process = multiprocessing.get_context("spawn").Process(target=train_for_ever, args=(cache_folder, broken))
    process.start()
    while process.is_alive() and not (broken / "state.pt").exists():
        process.join(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    saved, _ = load_state(broken, toy_model(tokens))
    assert saved > 0

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    plan = Plan((Phase("letters", saved + 4, 1.0, 0.0),), **WARMING_UP)
    models = [toy_model(tokens), toy_model(tokens)]
    for model, out in zip(models, (broken, whole), strict=True):
        train(model, Source(SpeechCache(cache_folder), []), plan, out)
        assert load_state(out, model)[0] == saved + 4
    torch.set_num_threads(threads)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_twenty_steps_on_four_words_lower_both_losses(tmp_path, source, model):
    plan = Plan((Phase("joint", 20, 0.5, 1.0),), **SMALL, warm_up=5, peak_rate=5e-3)
    train(model, source, plan, tmp_path, log_every=10)
    first, last = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert last["ctc"] < first["ctc"]
    assert last["ce"] < first["ce"]


def test_the_phases_follow_each_other_and_the_rate_rises_and_falls():
    plan = Plan(make_phases(10, 20, 30))
    assert [plan.phase(step).name for step in (0, 9, 10, 29, 30, 59)] == [
        *("letters", "letters", "joint", "joint", "windows", "windows")
    ]
    assert plan.steps == 60
    long = Plan(make_phases(1000, 1000, 1000))
    assert long.rate(0) < long.rate(200) < long.rate(300) > long.rate(1500) > long.rate(2999) > 0
