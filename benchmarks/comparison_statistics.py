"""Does the comparison of runs say what it claims? Two checks of its statistics on made-up runs whose truth is known.

    python benchmarks/comparison_statistics.py

*Two identical arms*: the same schedule twice, each with a few seeds. A seed moves a run's WER by a normal error, and
recordings and passages differ in difficulty. Whatever is called different here is called so wrongly; the nominal rate is
5 %. The peer is what such pages usually do: seeds averaged, examples swapped.

*Coverage*: an interval of one system over recordings that were drawn anew each time; the truth is the mean over all
recordings. The peer takes the passages for independent. Beside it the smallest difference that is seen four times of
five, as the page says it, and how often a difference of that size is indeed seen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.evaluation.resampling import bootstrap, compare_paired
from recipes.tasks import build_tasks

ASR = build_tasks(["asr"])["asr"]
WORDS = 20  # of a passage
RATE = 0.30  # WER
RECORDING_SD, PASSAGE_SD = 0.08, 0.10


def difficulty(rng: np.random.Generator, recordings: int, passages: int) -> np.ndarray:
    """The error rate that each passage of each recording has in itself."""
    of_recording = rng.normal(RATE, RECORDING_SD, size=(recordings, 1))
    return (of_recording + rng.normal(0, PASSAGE_SD, size=(recordings, passages))).ravel()


def arm(rng: np.random.Generator, hard: np.ndarray, *, seeds: int, seed_sd: float, better: float = 0.0) -> np.ndarray:
    """The tallies of one arm's runs: (seeds, passages, columns)."""
    rates = np.clip(hard - better + rng.normal(0, seed_sd, size=(seeds, 1)), 0.01, 0.99)
    tallies = np.zeros((seeds, len(hard), 10))
    tallies[..., 0] = rng.binomial(WORDS, rates)
    tallies[..., 1], tallies[..., 5] = WORDS, 1
    return tallies


def recordings_of(hard: np.ndarray, passages: int) -> list[str]:
    return [str(i // passages) for i in range(len(hard))]


def called_different(rng: np.random.Generator, *, seeds: int, seed_sd: float, options: argparse.Namespace) -> list[str]:
    """One row: the share of identical arms called different, by ours and by the peer, and the power of ours."""
    alarms, peer, seen, sizes = 0, 0, 0, []
    for repetition in range(options.repetitions):
        hard = difficulty(rng, options.recordings, options.passages)
        groups = recordings_of(hard, options.passages)
        ours, theirs = (arm(rng, hard, seeds=seeds, seed_sd=seed_sd) for _ in range(2))
        found = compare_paired(ASR, ours, theirs, groups=groups, resamples=options.resamples, seed=repetition)["wer"]
        alarms += found.significant()
        sizes.append(found.detectable)
        averaged = [runs.mean(axis=0) for runs in (ours, theirs)]
        peer += compare_paired(ASR, *averaged, resamples=options.resamples, seed=repetition)["wer"].significant()
    size = float(np.median(sizes))
    for repetition in range(options.repetitions):
        hard = difficulty(rng, options.recordings, options.passages)
        pair = [arm(rng, hard, seeds=seeds, seed_sd=seed_sd, better=better) for better in (0.0, size)]
        groups = recordings_of(hard, options.passages)
        seen += compare_paired(ASR, *pair, groups=groups, resamples=options.resamples, seed=repetition)[
            "wer"
        ].significant()
    shares = [f"{count / options.repetitions:.1%}" for count in (alarms, peer)]
    return [f"{seeds}", f"{seed_sd:g}", *shares, f"{size:.3f}", f"{seen / options.repetitions:.0%}"]


def covered(rng: np.random.Generator, *, seeds: int, seed_sd: float, options: argparse.Namespace) -> list[str]:
    """One row: how often the interval holds the truth, by recordings and by passages, and how much wider it is."""
    hits, widths = {"grouped": 0, "plain": 0}, {"grouped": 0.0, "plain": 0.0}
    for repetition in range(options.repetitions):
        hard = difficulty(rng, options.recordings, options.passages)
        runs = arm(rng, hard, seeds=seeds, seed_sd=seed_sd)
        for name, groups in (("grouped", recordings_of(hard, options.passages)), ("plain", None)):
            wer = bootstrap(ASR, runs, groups=groups, resamples=options.resamples, seed=repetition)["wer"]
            hits[name] += wer.low <= RATE <= wer.high
            widths[name] += wer.high - wer.low
    shares = [f"{hits[name] / options.repetitions:.1%}" for name in hits]
    return [f"{seeds}", f"{seed_sd:g}", *shares, f"{widths['grouped'] / widths['plain']:.1f} ×"]


Row = Callable[..., list[str]]


def table(
    title: str, head: list[str], row: Row, settings: list[tuple[int, float]], options: argparse.Namespace
) -> None:
    rng = np.random.default_rng(options.seed)
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for seeds, seed_sd in settings:
        print(f"| {' | '.join(row(rng, seeds=seeds, seed_sd=seed_sd, options=options))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--passages", type=int, default=25, help="of a recording")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        f"{options.repetitions} repetitions, {options.recordings} recordings of {options.passages} passages, "
        f"WER {RATE:g}, sd {RECORDING_SD:g} between recordings"
    )
    table(
        "Identical arms called different (bar: at most 7 %)",
        ["seeds", "sd of a seed", "ours", "seeds averaged, examples swapped", "detects", "and sees it in"],
        called_different,
        [(3, 0.01), (3, 0.02), (3, 0.05), (5, 0.02)],
        options,
    )
    table(
        "Nominal 95 % intervals that hold the truth (bar: at least 90 %)",
        ["seeds", "sd of a seed", "by recording", "by passage", "width, to by passage"],
        covered,
        [(1, 0.0), (3, 0.02), (5, 0.02)],
        options,
    )


if __name__ == "__main__":
    main()
