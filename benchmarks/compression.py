"""Fewer tokens of sound: what does it cost in words, and what does it save in time?

    python benchmarks/compression.py --data ../shared/data --out FOLDER

Strings of two to four recorded words of one speaker (Arabic Speech Commands; validation speakers apart), task asr. A
toy thinker (language model of width 256, the shipped recognizer's tower, frozen) is trained at 25 tokens a second.
From that model every row goes on with LoRA for the same steps at its own compression; the first goes on without any, so
that further steps are not counted as a gain. WER is of greedy answers, its interval by resampling speakers. Time is that
of a training step on clips of 60 s, medians of alternating runs. Finished runs are skipped.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1]))

from aramega.text.error_rates import edit_counts
from recipes.config import RecipeConfig, parse_config
from recipes.data.examples import Examples
from recipes.data.load import load_split
from recipes.models.collate import Prompt
from recipes.models.load import LoadedModel, load_model, save_model
from recipes.models.lora import add_adapters
from recipes.train import train
from recipes.training import checkpoint
from recipes.training.batches import MicroBatch
from recipes.training.rates import learning_rates, make_optimizer
from recipes.training.step import take_step
from recipes.training.validate import predict

KINDS = {
    "k = 1": {},
    **{f"{kind}, k = {k}": {"kind": kind, "factor": k} for k in (3, 4) for kind in ("mean", "skip", "segments")},
}
RATE = 16_000


def make_strings(data: Path, folder: Path, *, train_rows: int, validation_rows: int) -> Path:
    """A dataset of strings of words, each string of one speaker."""
    import datasets

    if folder.exists():
        return folder
    with (data / "arabic-speech-commands" / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rng = np.random.default_rng(0)
    datasets.disable_progress_bars()
    splits = {"train": train_rows, "validation": validation_rows}
    splits_made = {
        name: datasets.Dataset.from_list([string(rows, name, number, data, rng) for number in range(count)])
        for name, count in splits.items()
    }
    tables = {name: table.cast_column("audio", datasets.Audio(decode=False)) for name, table in splits_made.items()}
    datasets.DatasetDict(tables).save_to_disk(str(folder))
    return folder


def string(rows: list[dict[str, str]], split: str, number: int, data: Path, rng: np.random.Generator) -> dict[str, Any]:
    """One string: two to four words of one speaker with pauses of up to a quarter of a second."""
    speakers = sorted({row["speaker"] for row in rows if row["split"] == split})
    speaker = speakers[rng.integers(len(speakers))]
    theirs = [row for row in rows if row["speaker"] == speaker]
    words = [theirs[i] for i in rng.integers(len(theirs), size=rng.integers(2, 5))]
    pieces: list[np.ndarray] = []
    for word in words:
        pieces += [
            soundfile.read(data / "arabic-speech-commands" / word["path"], dtype="float32")[0],
            np.zeros(rng.integers(4000), np.float32),
        ]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(pieces), RATE, format="WAV")
    return {
        "id": f"{speaker}-{split}-{number}",
        "audio": {"bytes": file.getvalue(), "path": f"{number}.wav"},
        "transcription": " ".join(word["text"] for word in words),
    }


def run_config(strings: Path, *, path: str, steps: int, lora: bool, compress: dict[str, Any]) -> RecipeConfig:
    tiny = {"width": 256, "layers": 4, "head_width": 32, "vocabulary": 1000, "tower": "demo"}
    return parse_config(
        {
            "model": {"path": path, "dtype": "float32", "tiny": tiny, "compress": compress},
            "data": {"tasks": ["asr"], "datasets": [{"path": str(strings)}]},
            "schedule": {"steps": steps, "batch_size": 16, "max_padding": 1.0},
            "lora": {"rank": 16, "alpha": 32, "dropout": 0.0, "language": {"learning_rate": 1e-3}},
            "train": {
                "method": "lora" if lora else "full", "freeze_tower": True, "learning_rate": 1e-3, "warmup_share": 0.1,
                "precision": "fp32", "gradient_checkpointing": False, "save_every": steps, "keep": 1, "loader_threads": 1,
            },
            "eval": {"every": steps, "examples_per_task": 1, "batch_size": 40, "max_new_tokens": 24},
        },
        source="compression",
    )  # fmt: skip


def trained(run: Path, config: RecipeConfig) -> LoadedModel:
    """The model at the run's last step; a finished run is read."""
    if not (run / "checkpoints" / f"step-{config.schedule.steps}").is_dir():
        train(config, run, resuming=True)
    model = load_model(config.model)
    if config.train.method == "lora":
        add_adapters(model, config.lora)
    checkpoint.load_weights(model, checkpoint.find_checkpoint(run, "last") / "model")
    model.model.eval()
    return model


def word_errors(model: LoadedModel, examples: Examples) -> dict[str, np.ndarray]:
    """Errors and words of each speaker."""
    sums: dict[str, np.ndarray] = {}
    for row in predict(model, examples, batch_size=40, max_new_tokens=24, seed=0):
        speaker = row["example"].rpartition("/")[2].partition("-")[0]
        errors, words = edit_counts(row["reference"].split(), row["answer"].split())
        sums[speaker] = sums.get(speaker, np.zeros(2)) + np.array([errors, words])
    return sums


def rate(sums: dict[str, np.ndarray]) -> tuple[float, float, float]:
    """WER with its 95 % interval over speakers."""
    table = np.stack(list(sums.values()))
    drawn = table[np.random.default_rng(0).integers(len(table), size=(2000, len(table)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float(table[:, 0].sum() / table[:, 1].sum()), float(low), float(high)


def step_seconds(factors: tuple[int, ...], *, seconds: float, times: int) -> dict[int, tuple[int, float]]:
    """Tokens and seconds of a LoRA step on two clips of this length, by factor; runs alternate."""
    import torch

    audio = (0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)
    steps: dict[int, Any] = {}
    for factor in factors:
        compress = {"kind": "mean", "factor": factor} if factor > 1 else {}
        config = run_config(Path("none"), path="tiny", steps=1, lora=True, compress=compress)
        model = load_model(config.model)
        optimizer = make_optimizer(
            add_adapters(model, config.lora), learning_rates(config.train, config.lora), config.train
        )
        inputs = model.encoder.examples([Prompt("Write.", "صفر واحد", audio, "clip")] * 2)
        steps[factor] = (model, optimizer, MicroBatch(inputs, torch.tensor([0, 0])), config.train)
    clocks: dict[int, list[float]] = {factor: [] for factor in factors}
    for _ in range(times):
        for factor, (model, optimizer, micro, options) in steps.items():
            start = time.process_time()
            take_step(model, optimizer, [micro], tasks=["asr"], config=options)
            clocks[factor].append(time.process_time() - start)
    return {factor: (steps[factor][2].inputs.tokens, statistics.median(clocks[factor])) for factor in factors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with arabic-speech-commands")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--realign", type=int, default=100)
    parser.add_argument("--rows", nargs="*", default=list(KINDS))
    parser.add_argument("--speed-only", action="store_true")
    options = parser.parse_args()
    speed = step_seconds((1, 3), seconds=60, times=5)
    print("| k | tokens of two clips of 60 s | CPU s a step | to k = 1 |\n|---|---|---|---|")
    for factor, (tokens, seconds) in speed.items():
        print(f"| {factor} | {tokens} | {seconds:.2f} | {seconds / speed[1][1]:.2f} |", flush=True)
    if options.speed_only:
        return
    strings = make_strings(options.data, options.out / "strings", train_rows=2400, validation_rows=240)
    base = trained(options.out / "base", run_config(strings, path="tiny", steps=options.steps, lora=False, compress={}))
    if not (options.out / "base-model").exists():
        save_model(base, options.out / "base-model")
    print(f"\nafter {options.steps} steps at k = 1; {options.realign} steps of LoRA each\n")
    print("| | WER before LoRA | WER after | interval |\n|---|---|---|---|", flush=True)
    for name in options.rows:
        config = run_config(
            strings, path=str(options.out / "base-model"), steps=options.realign, lora=True, compress=KINDS[name]
        )
        examples = load_split(config.data, "validation")
        before, _, _ = rate(word_errors(load_model(config.model), examples))
        after, low, high = rate(word_errors(trained(options.out / name.replace(" ", ""), config), examples))
        print(f"| {name} | {before:.3f} | {after:.3f} | {low:.3f} to {high:.3f} |", flush=True)


if __name__ == "__main__":
    main()
