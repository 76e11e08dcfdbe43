"""Our loop against `transformers.Trainer`: the same toy model, the same adapters, the same ready-made batches.

    python benchmarks/train_speed.py

Both get tensors that are already in memory, the same optimizer and schedule of rates, and log every step; runs
alternate, and the median of the pairs is given. The second shape has Qwen2.5-Omni's vocabulary of 152,064: there
it shows that we run the output layer on target positions only. Then the schedule's share of a step: drawing
an ADS batch of 64 among 100,000 examples with 256-d embeddings and cutting it into passes.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.config import RecipeConfig, parse_config
from recipes.models.collate import Inputs, Prompt
from recipes.models.config import ModelConfig, TinyShape
from recipes.models.load import LoadedModel, load_model
from recipes.models.lora import add_adapters
from recipes.schedule import Batch, ScheduleConfig, ScheduleTable, build_schedule, microbatches
from recipes.training.batches import MicroBatch
from recipes.training.checkpoint import Progress
from recipes.training.log import RunLog
from recipes.training.loop import take_stretch
from recipes.training.losses import answer_loss
from recipes.training.rates import learning_rates, make_optimizer
from recipes.training.step import take_step


def toy(shape: TinyShape, *, vocabulary: int) -> LoadedModel:
    """The tiny thinker with adapters; its output layer widened to `vocabulary`."""
    model = load_model(ModelConfig(path="tiny", dtype="float32", tiny=shape))
    if vocabulary > shape.vocabulary:
        model.thinker.resize_token_embeddings(vocabulary, mean_resizing=False)
    return model


def ready_batches(model: LoadedModel, *, count: int, size: int) -> list[Inputs]:
    """Clips of 1 to 6 seconds with answers of some 20 tokens, batched by length as the schedule does."""
    rng = np.random.default_rng(0)
    words = ["صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة"]
    batches = []
    for _ in range(count):
        seconds = rng.uniform(1, 6)
        prompts = [
            Prompt(
                "Write down exactly what is said in this recording.",
                " ".join(rng.choice(words, 8)),
                rng.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32),
            )
            for _ in range(size)
        ]
        batches.append(model.encoder.examples(prompts))
    return batches


def run_ours(model: LoadedModel, config: RecipeConfig, batches: list[Inputs], folder: Path) -> float:
    """Seconds for all batches, through the recipe's own stretch of steps with its log."""
    from accelerate import Accelerator

    trained = add_adapters(model, config.lora)
    optimizer = make_optimizer(trained, learning_rates(config.train, config.lora), config.train)
    tasks = torch.zeros(len(batches[0].rows), dtype=torch.long)
    session: Any = SimpleNamespace(
        config=config,
        progress=Progress(),
        accelerator=Accelerator(cpu=True),
        model=model,
        optimizer=optimizer,
        tasks=("asr",),
        examples=range(len(batches)),
        log=RunLog(folder, resumed_at=0, total=len(batches)),
        prepare=lambda batch: [MicroBatch(batches[batch.step], tasks)],
        loss=answer_loss,
    )
    model.model.train()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool, contextlib.redirect_stdout(io.StringIO()):
        started = time.perf_counter()
        take_stretch(session, iter(Batch(i, "all", (0,)) for i in range(len(batches))), pool=pool)
        return time.perf_counter() - started


def run_trainer(model: LoadedModel, config: RecipeConfig, batches: list[Inputs], folder: Path) -> float:
    """Seconds for the same batches through transformers' Trainer, which logs every step as well."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    add_adapters(model, config.lora)
    items = [{**batch.model_inputs("cpu"), "labels": batch.labels} for batch in batches]
    clock: dict[str, float] = {}

    class Clock(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            clock["start"] = time.perf_counter()

        def on_train_end(self, *_: Any, **__: Any) -> None:
            clock["end"] = time.perf_counter()

    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,  # an item is a whole batch
        max_steps=len(items),
        learning_rate=config.lora.language.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=round(config.train.warmup_share * len(items)),
        max_grad_norm=config.train.max_grad_norm,
        weight_decay=config.train.weight_decay,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model.model, arguments, train_dataset=items, data_collator=lambda rows: dict(rows[0]), callbacks=[Clock()]
    )
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train()
    return clock["end"] - clock["start"]


def compare_loops(name: str, *, vocabulary: int, steps: int, size: int, pairs: int) -> None:
    shape = TinyShape()
    config = parse_config(
        {"schedule": {"steps": steps}, "train": {"precision": "fp32", "loader_threads": 1}, "lora": {"dropout": 0.0}},
        source="benchmark",
    )
    batches = ready_batches(toy(shape, vocabulary=vocabulary), count=steps, size=size)
    ratios, ours, theirs = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(pairs + 1):
            run = Path(folder) / str(pair)
            run.mkdir()
            our_seconds = run_ours(toy(shape, vocabulary=vocabulary), config, batches, run)
            their_seconds = run_trainer(toy(shape, vocabulary=vocabulary), config, batches, run)
            if pair:  # the first pair warms up
                ours.append(steps / our_seconds)
                theirs.append(steps / their_seconds)
                ratios.append(ours[-1] / theirs[-1])
    ratio = statistics.median(ratios)
    print(f"| {name} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} | {ratio:.2f} × |")


def step_seconds(*, passes: int, size: int) -> float:
    """Seconds of a toy step of `passes` forward passes of `size` examples."""
    model = toy(TinyShape(), vocabulary=512)
    config = parse_config({"train": {"precision": "fp32"}}, source="benchmark")
    optimizer = make_optimizer(
        add_adapters(model, config.lora), learning_rates(config.train, config.lora), config.train
    )
    tasks = torch.zeros(size, dtype=torch.long)
    micros = [MicroBatch(inputs, tasks) for inputs in ready_batches(model, count=passes, size=size)]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        take_step(model, optimizer, micros, tasks=("asr",), config=config.train)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def schedule_seconds(*, rows: int, width: int) -> float:
    """Seconds to draw an ADS batch of 64 and cut it into passes for two processes."""
    rng = np.random.default_rng(0)
    table = ScheduleTable(
        task=rng.integers(0, 5, rows).astype(np.int16),
        tasks=("asr", "ssum", "text_summ", "dialect", "emotion"),
        label=rng.integers(0, 30, rows).astype(np.int32),
        labels=tuple(f"label-{i}" for i in range(30)),
        tokens=rng.integers(60, 900, rows).astype(np.int32),
        modality=np.zeros(rows, np.int8),
    )
    embeddings = rng.normal(size=(rows, width)).astype(np.float32)
    config = ScheduleConfig(kind="ads", steps=220, batch_size=64)
    schedule = build_schedule(config, table, embeddings, seed=0)
    next(schedule)
    started = time.perf_counter()
    for _ in range(200):
        microbatches(next(schedule), table, config, world_size=2, accumulation=4)
    return (time.perf_counter() - started) / 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| toy model, batches of 8 | ours, steps/s | Trainer, steps/s | ratio |\n|---|---|---|---|")
    compare_loops("vocabulary 512", vocabulary=512, steps=options.steps, size=8, pairs=options.pairs)
    compare_loops(
        "vocabulary 152,064", vocabulary=152_064, steps=max(3, options.steps // 4), size=8, pairs=options.pairs
    )
    step, seconds = step_seconds(passes=8, size=8), schedule_seconds(rows=100_000, width=256)
    print(
        f"\nschedule: {seconds * 1000:.2f} ms a step (ADS, batch 64 of 100,000 × 256-d, cut into 8 passes), "
        f"{100 * seconds / (step + seconds):.2f} % of the toy's own step of {step * 1000:.0f} ms over such a batch"
    )


if __name__ == "__main__":
    main()
