"""How long a batch takes to plan, and how much memory: ADS over a million examples, against torch's samplers.

`python benchmarks/schedule_plan.py [--rows 1000000]` plans an epoch (as many places as there are rows) of
each schedule in a process of its own, and takes one training step of a toy decoder (4 layers, width 256:
far cheaper than any audio LLM) on one of those batches, to put the planning in proportion.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from recipes.schedule import ScheduleConfig, ScheduleTable, build_schedule
from recipes.schedule.synthetic import synthetic_embeddings, synthetic_table

BATCH = 64
SCHEDULES = {
    "uniform": {"kind": "uniform"},
    "tpc": {"kind": "tpc"},
    "ads repulsion": {"kind": "ads", "ads": {"picker": "repulsion"}},
    "ads farthest": {"kind": "ads", "ads": {"picker": "farthest"}},
    "ads repulsion, no guarantee": {"kind": "ads", "ads": {"guarantee": 0}},
    "ads clusters": {"kind": "ads", "ads": {"picker": "clusters"}},
    "hybrid": {"kind": "hybrid"},
}
PEERS = ("torch RandomSampler", "torch WeightedRandomSampler")


def write_data(folder: Path, rows: int) -> None:
    table = synthetic_table(rows)
    table.save(folder / "table.npz")
    stored = np.lib.format.open_memmap(folder / "embeddings.npy", mode="w+", dtype=np.float32, shape=(rows, 256))
    stored[:] = synthetic_embeddings(table, 256)
    stored.flush()


def plan_epoch(folder: Path, name: str) -> dict[str, float]:
    """Plan one epoch; seconds to build and to draw, and the process's peak memory."""
    table = ScheduleTable.load(folder / "table.npz")
    steps = len(table) // BATCH
    embeddings = np.load(folder / "embeddings.npy", mmap_mode="r")
    start = time.perf_counter()
    if name in SCHEDULES:
        config = ScheduleConfig.model_validate({**SCHEDULES[name], "steps": steps, "batch_size": BATCH})
        schedule = build_schedule(config, table, embeddings, seed=0)
        built = time.perf_counter()
        drawn = sum(len(batch.indices) for batch in schedule)
    else:
        built = start
        drawn = sum(len(batch) for batch in peer_batches(name, table))
    end = time.perf_counter()
    assert drawn >= steps * BATCH
    return {"build": built - start, "draw": end - built, "per_batch": (end - built) / steps, "peak_gib": peak_gib()}


def peak_gib() -> float:
    """This process's largest resident size, mapped file pages included (getrusage would count its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def peer_batches(name: str, table: ScheduleTable):
    import torch
    from torch.utils.data import BatchSampler, RandomSampler, WeightedRandomSampler

    if name == "torch RandomSampler":
        return BatchSampler(RandomSampler(range(len(table))), BATCH, drop_last=False)
    kind = table.task.astype(np.int64) * len(table.labels) + table.label
    weights = 1 / np.bincount(kind)[kind]  # label-balanced in expectation, with repetition
    return BatchSampler(WeightedRandomSampler(torch.from_numpy(weights), len(table)), BATCH, drop_last=False)


def seconds_of_a_step(folder: Path) -> float:
    """One training step of a toy decoder on the lengths of an ADS batch, in 8 passes."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from recipes.schedule import microbatches

    table = ScheduleTable.load(folder / "table.npz")
    config = ScheduleConfig(kind="uniform", steps=1, batch_size=BATCH)
    batch = next(build_schedule(config, table, seed=0))
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=512,
            hidden_size=256,
            intermediate_size=1024,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    )
    start = time.perf_counter()
    for run in microbatches(batch, table, config, world_size=1, accumulation=8)[0]:
        ids = torch.randint(0, 512, (len(run), int(table.tokens[run].max())))
        model(input_ids=ids, labels=ids).loss.backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--plan", nargs=2, metavar=("FOLDER", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plan:
        folder, name = options.plan
        result = {"step": seconds_of_a_step(Path(folder))} if name == "step" else plan_epoch(Path(folder), name)
        print(json.dumps(result))
        return
    with tempfile.TemporaryDirectory() as scratch:
        write_data(Path(scratch), options.rows)
        step = measure(scratch, "step")["step"]
        print(f"{options.rows:,} rows × 256, batch {BATCH}; one step of a toy decoder: {step:.2f} s")
        print(f"{'schedule':30}{'build s':>9}{'epoch s':>9}{'ms/batch':>10}{'of a step':>11}{'peak GiB':>10}")
        for name in (*PEERS, *SCHEDULES):
            found = measure(scratch, name)
            print(
                f"{name:30}{found['build']:9.1f}{found['build'] + found['draw']:9.1f}{found['per_batch'] * 1e3:10.2f}"
                f"{found['per_batch'] / step:11.3%}{found['peak_gib']:10.2f}"
            )


def measure(folder: str, name: str) -> dict[str, float]:
    """In a process of its own, so that its peak memory is its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--plan", folder, name], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
