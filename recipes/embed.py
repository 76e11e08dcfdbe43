"""Embed every training clip at the aligner, ahead of training: `python -m recipes.embed CONFIG --into FOLDER`.

`recipes.train` does it by itself where it must; doing it ahead once saves the time in each of several runs. It can be
stopped and started again: only what is missing is computed. `accelerate launch -m recipes.embed …` uses several
processes. Beside the cache it writes `table.npz` and `embeddings.npy`, which `python -m recipes.schedule` reads.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recipes.config import RecipeConfig, load_config
from recipes.data.examples import Examples
from recipes.data.load import load_examples
from recipes.errors import RecipeError
from recipes.models.load import LoadedModel, load_model
from recipes.tasks import TaskError
from recipes.training.embedding_cache import EmbeddingCache, embed_missing, open_cache, reduce_width
from recipes.training.feed import training_clips
from recipes.training.parallel import open_accelerator
from recipes.training.validate import token_counter


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.embed", description="Embed training clips at the model's aligner.")
    parser.add_argument("config", type=Path, help="TOML file of the run")
    parser.add_argument("--into", type=Path, required=True, help="cache folder; name it as train.embeddings later")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override one key")
    options = parser.parse_args(arguments)
    try:
        embed(load_config(options.config, options.set), options.into)
    except (RecipeError, TaskError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def embed(config: RecipeConfig, folder: Path) -> None:
    """Everything `main` does."""
    accelerator = open_accelerator()
    with accelerator.main_process_first():
        examples = load_examples(config.data, "train")
    model = load_model(config.model, device=accelerator.device)
    cache = open_cache(folder, model)
    clips = training_clips(examples)
    mine = clips[accelerator.process_index :: accelerator.num_processes]
    started = time.perf_counter()
    count = embed_missing(
        model, mine, cache, batch_seconds=config.train.embedding_batch_seconds, threads=config.train.loader_threads
    )
    seconds = time.perf_counter() - started
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        write_schedule_data(config, folder, model=model, examples=examples, cache=cache)
        print(f"{folder}: {len(cache.keys())} of {len(clips)} clips, {count} of them now, in {seconds:.1f} s")


def write_schedule_data(
    config: RecipeConfig, folder: Path, *, model: LoadedModel, examples: Examples, cache: EmbeddingCache
) -> None:
    """Write the examples' table and their reduced vectors, row by row the same examples."""
    examples.schedule_table(token_counter(model.encoder, examples.tasks)).save(folder / "table.npz")
    vectors = cache.vectors([example.clip for example in examples])
    np.save(folder / "embeddings.npy", reduce_width(vectors, width=config.train.embedding_width))


if __name__ == "__main__":
    sys.exit(main())
