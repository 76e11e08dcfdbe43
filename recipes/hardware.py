"""Estimate the memory and hours of a run, before a GPU is rented.

    python -m recipes.hardware CONFIG --gpu A100 --seconds 60 --words 45

How each number comes about stands in `recipes/training/estimates.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from recipes.config import RecipeConfig, load_config
from recipes.errors import RecipeError
from recipes.training.estimates import GIB, GPUS, SHAPES, example_tokens, hours, memory, shape_of


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.hardware", description="Memory and hours of a run, by arithmetic.")
    parser.add_argument("config", type=Path)
    parser.add_argument("--size", choices=SHAPES, help="the model's size; read off model.path by default")
    parser.add_argument("--gpu", choices=GPUS, default="A100")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio in an average example")
    parser.add_argument("--words", type=float, default=45.0, help="of answer in an average example")
    parser.add_argument("--share", type=float, default=0.4, help="of the chip's peak that the run reaches")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override one key")
    options = parser.parse_args(arguments)
    try:
        print(report(load_config(options.config, options.set), options))
    except RecipeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def report(config: RecipeConfig, options: argparse.Namespace) -> str:
    """The lines that `main` prints."""
    shape, name = shape_of(config, options.size)
    tokens, answer = example_tokens(seconds=options.seconds, words=options.words, compress=config.model.compress)
    passed = config.schedule.token_budget or -(-config.schedule.batch_size // config.train.accumulation) * tokens
    need = memory(shape, config, tokens=passed, targets=round(passed * answer / tokens))
    peak, room = GPUS[options.gpu]
    took = hours(shape, config, tokens=tokens, peak=peak, share=options.share, gpus=options.gpus)
    lines = [
        f"Qwen2.5-Omni-{name} thinker: {shape.weights / 1e9:.2f} G weights, "
        f"{shape.adapter_weights(config.lora.rank) / 1e6:.0f} M in adapters of rank {config.lora.rank}",
        f"an example of {options.seconds:g} s and {options.words:g} words: {tokens} tokens, {answer} of them answer",
        f"memory of a pass over {passed:,} tokens, GiB:",
        f"  frozen weights                    {need.weights / GIB:6.1f}",
        f"  adapters, gradients, AdamW        {need.adapters / GIB:6.1f}",
        f"  kept by checkpointing             {need.layer_inputs / GIB:6.1f}",
        f"  activations of layers in work     {need.one_layer / GIB:6.1f}",
        f"  logits of the answers             {need.logits / GIB:6.1f}",
        f"  together                          {need.total / GIB:6.1f}   ({options.gpu} has {room})",
        f"{config.schedule.steps} steps of {config.schedule.batch_size} examples: "
        f"{took:.1f} hours on {options.gpus} × {options.gpu} at {options.share:.0%} of its peak",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
