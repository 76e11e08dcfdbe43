"""How much of what is computed is padding: our passes against plain shuffling, over the same batches.

The peer is what a plain loader does: the same batch, shuffled, cut into passes of as many examples each.
Ours sorts the batch by length and cuts it where it pads least, within the token budget and in passes of like
cost. Both get the same number of passes, so nothing is won by computing in smaller pieces.

    python benchmarks/schedule_padding.py [--batches 200] [--batch-size 64]
"""

from __future__ import annotations

import argparse

import numpy as np

from recipes.schedule import ScheduleConfig, build_schedule, microbatches
from recipes.schedule.measure import plain_padding
from recipes.schedule.passes import padding_share
from recipes.schedule.synthetic import synthetic_embeddings, synthetic_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rows", type=int, default=50_000)
    options = parser.parse_args()
    table = synthetic_table(options.rows)
    embeddings = synthetic_embeddings(table, 64)
    print(
        f"{options.batches} batches of {options.batch_size}; lengths from {table.tokens.min()} to {table.tokens.max()} tokens\n"
    )
    print("| schedule | token budget | passes | padding, ours | padding, shuffled | ratio |")
    print("|---|---|---|---|---|---|")
    for kind in ("uniform", "ads"):
        for budget in (8_192, 16_384, 0):
            config = ScheduleConfig(
                kind=kind, steps=options.batches, batch_size=options.batch_size, token_budget=budget
            )
            ours, plain, passes = [], [], []
            for batch in build_schedule(config, table, embeddings if kind == "ads" else None, seed=1):
                splits = microbatches(batch, table, config, world_size=1, accumulation=8)
                passes.append(sum(map(len, splits)))
                ours.append(padding_share(splits, table))
                plain.append(plain_padding(batch, table, passes=passes[-1]))
            a, b = float(np.mean(ours)), float(np.mean(plain))
            print(
                f"| {kind} | {budget or 'none'} | {np.mean(passes):.1f} | {a:.1%} | {b:.1%} | {a / b:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
