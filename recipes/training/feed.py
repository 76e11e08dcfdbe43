"""Feeds the trainer: makes tensors of batches of indices, and embeddings of clips.

Each process prepares only its own share. A batch is the same whatever the number of processes: the schedule
shares it out (`microbatches`), and instructions are drawn from (seed, batch, example).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recipes.config import RecipeConfig, TrainConfig
from recipes.data.examples import Examples
from recipes.models.load import LoadedModel
from recipes.schedule import Batch, ScheduleConfig, microbatches
from recipes.schedule.phases import plan_phases
from recipes.schedule.table import ScheduleTable
from recipes.training import checkpoint
from recipes.training.batches import MicroBatch, dropout_seed
from recipes.training.embedding_cache import Clip, embed_clips, embed_missing, open_cache, reduce_width
from recipes.training.validate import example_prompt


def batch_preparer(
    model: LoadedModel, examples: Examples, table: ScheduleTable, config: RecipeConfig, *, accelerator: Any
) -> Callable[[Batch], list[MicroBatch]]:
    """Give the function that the reading threads run: it makes tensors of this process's share of a batch."""
    import torch

    task_index = {task: index for index, task in enumerate(table.tasks)}

    def prepare(batch: Batch) -> list[MicroBatch]:
        shares = microbatches(
            batch,
            table,
            config.schedule,
            world_size=accelerator.num_processes,
            accumulation=config.train.accumulation,
        )
        micros = []
        for indices in filter(None, shares[accelerator.process_index]):
            loaded = [examples.load(index) for index in indices]
            prompts = [
                example_prompt(
                    row,
                    examples.tasks[row.example.task],
                    name=f"{row.example.task}/{row.example.source}/{row.columns['id']}",
                    draw=f"{config.train.seed} {batch.step} {index}",
                )
                for index, row in zip(indices, loaded, strict=True)
            ]
            inputs = model.encoder.examples(prompts)
            tasks = torch.tensor([task_index[row.example.task] for row in loaded])
            inputs = inputs.pin() if accelerator.device.type == "cuda" else inputs
            seed = dropout_seed(config.train.seed, step=batch.step, example=indices[0])
            micros.append(MicroBatch(inputs, tasks, seed))
        return micros

    return prepare


def picks_by_distance(config: ScheduleConfig, table: ScheduleTable) -> bool:
    """Whether this schedule needs embeddings at all."""
    return any(phase.picker != "random" for phase in plan_phases(config, table))


def starting_embeddings(
    model: LoadedModel,
    examples: Examples,
    table: ScheduleTable,
    config: RecipeConfig,
    *,
    run: Path,
    start: Path | None,
    accelerator: Any,
) -> np.ndarray | None:
    """The embeddings that a run begins with or goes on with; None where its schedule needs none."""
    if not picks_by_distance(config.schedule, table):
        return None
    saved = checkpoint.saved_embeddings(run, start)
    if saved is not None:
        return saved
    return base_embeddings(model, examples, config.train, run=run, accelerator=accelerator)


def base_embeddings(
    model: LoadedModel, examples: Examples, train: TrainConfig, *, run: Path, accelerator: Any
) -> np.ndarray:
    """Every example's clip at the frozen model's aligner: each process adds its share of what the cache lacks.

    One process reduces and writes, all read: so that all work with the same bits.
    """
    cache = open_cache(Path(train.embeddings or run / "embeddings"), model)
    mine = training_clips(examples)[accelerator.process_index :: accelerator.num_processes]
    embed_missing(model, mine, cache, batch_seconds=train.embedding_batch_seconds, threads=train.loader_threads)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        vectors = cache.vectors([example.clip for example in examples])
        np.save(run / "embeddings.npy", reduce_width(vectors, width=train.embedding_width))
    accelerator.wait_for_everyone()
    embeddings: np.ndarray = np.load(run / "embeddings.npy")
    return embeddings


def fresh_embeddings(model: LoadedModel, examples: Examples, train: TrainConfig, *, accelerator: Any) -> np.ndarray:
    """Every example's clip at the aligner of the model as it is now, for training that moves it. Not cached."""
    from accelerate.utils import broadcast_object_list, gather_object

    mine = training_clips(examples)[accelerator.process_index :: accelerator.num_processes]
    batches = embed_clips(model, mine, batch_seconds=train.embedding_batch_seconds, threads=train.loader_threads)
    model.model.eval()
    pairs = [pair for keys, vectors in batches for pair in zip(keys, vectors, strict=True)]
    model.model.train()
    several = accelerator.num_processes > 1
    by_clip = dict(gather_object(pairs) if several else pairs)
    silence = np.zeros_like(next(iter(by_clip.values())))
    rows = np.stack([by_clip.get(example.clip, silence) for example in examples])
    reduced = [reduce_width(rows, width=train.embedding_width)]
    return broadcast_object_list(reduced)[0] if several else reduced[0]


def training_clips(examples: Examples) -> list[Clip]:
    """Every different clip once."""
    return [
        Clip(key, examples[index].seconds, functools.partial(read_audio, examples, index))
        for key, index in examples.clips().items()
    ]


def read_audio(examples: Examples, index: int) -> np.ndarray:
    audio = examples.load(index).audio
    assert audio is not None  # an example with a clip key has audio
    return audio
