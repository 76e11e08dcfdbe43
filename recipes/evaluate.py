"""Evaluate a run, an adapter, a base model or a baseline on a split; writes metrics.json and predictions.jsonl.

    python -m recipes.evaluate runs/hybrid                                  the run's last checkpoint
    python -m recipes.evaluate runs/hybrid --checkpoint best --split test
    python -m recipes.evaluate CONFIG.toml --out runs/base                  the base model, untouched
    python -m recipes.evaluate CONFIG.toml --adapter FOLDER --out FOLDER
    python -m recipes.evaluate CONFIG.toml --baseline majority --out runs/majority
    python -m recipes.evaluate CONFIG.toml --baseline cascade --whisper FOLDER --out runs/cascade

A task's metrics are in `recipes/tasks`; intervals, slices, judge and baselines in `recipes/evaluation`, the library of
this command. `recipes.compare` puts several evaluations beside each other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.config import RecipeConfig, load_config
from recipes.data import Examples, load_examples
from recipes.errors import RecipeError
from recipes.evaluation.baselines import cascade, endpoint_chat, majority, whisper
from recipes.evaluation.graders import add_bertscore, add_judge
from recipes.evaluation.judge import write_gradings
from recipes.evaluation.predictions import Prediction, from_mapping
from recipes.evaluation.report import evaluate_predictions, terminal_table, write_report
from recipes.training.validate import fixed_subset, predict


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.evaluate", description="Answer a split and score the answers.")
    parser.add_argument("what", type=Path, help="a run folder, or a config for a base model, adapter or baseline")
    parser.add_argument("--checkpoint", default="last", help="of a run: last, best (by validation loss) or step-N")
    parser.add_argument("--adapter", type=Path, help="with a config: a PEFT adapter to put on its model")
    parser.add_argument("--baseline", choices=["majority", "cascade"], help="with a config: no audio LLM at all")
    parser.add_argument("--whisper", help="for the cascade: a Whisper checkpoint in transformers' format")
    parser.add_argument("--split", default="test", choices=["train", "validation", "test"])
    parser.add_argument(
        "--limit", type=int, default=0, help="at most so many examples of each task, drawn at random; 0: all"
    )
    parser.add_argument("--out", type=Path, help="where to write; a run's own folder by default")
    parser.add_argument("--device", help="cuda, cpu; the GPU where there is one by default")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override one key")
    options = parser.parse_args(arguments)
    try:
        print(evaluate(options))
    except RecipeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def evaluate(options: argparse.Namespace) -> str:
    """Everything `main` does; returns the table it prints."""
    is_run = options.what.is_dir()
    config = load_config(options.what / "config.toml" if is_run else options.what, options.set)
    if options.out is None and not is_run:
        raise RecipeError("--out is needed: only a run folder has a place of its own for the results.")
    out = options.out or options.what / "evaluation" / options.split
    examples = load_examples(config.data, options.split)
    if options.limit:
        # Not drawn by train.seed: runs of several seeds must answer the same examples to be compared.
        examples = fixed_subset(examples, per_task=options.limit, seed=0)
    for note in examples.notes:
        print(note)

    name, predictions = answers(options, config, examples)
    results = evaluate_predictions(predictions, examples.tasks, config.eval, seed=config.train.seed)
    add_bertscore(results, predictions, config.eval)
    gradings = add_judge(results, predictions, examples, config.eval, seed=config.train.seed)

    facts = {
        "model": name,
        "base": config.model.path,
        "split": options.split,
        "datasets": [source.name for source in examples.sources],
        "profile": config.data.profile,
        "seed": config.train.seed,
        "confidence": config.eval.confidence,
    }
    write_report(out, predictions, results, facts)
    write_gradings(out, gradings)
    return f"{terminal_table(results)}\n\n{out / 'metrics.json'}"


def answers(options: argparse.Namespace, config: RecipeConfig, examples: Examples) -> tuple[str, list[Prediction]]:
    """The name of the model or baseline, and its answers."""
    if options.baseline == "majority":
        return "majority", list(majority(load_examples(config.data, "train"), examples))
    if options.baseline == "cascade":
        if not options.whisper:
            raise RecipeError("the cascade needs --whisper, a Whisper checkpoint in transformers' format.")
        transcribe = whisper(options.whisper, device=device_of(options))
        chat = endpoint_chat(config.eval.cascade)
        return f"cascade of {options.whisper} and {config.eval.cascade.model}", list(
            cascade(examples, transcribe, chat)
        )

    from recipes.models.load import load_model
    from recipes.models.lora import load_adapter
    from recipes.training.checkpoint import find_checkpoint, load_weights

    model, name = load_model(config.model, device=device_of(options)), config.model.path
    if options.what.is_dir():
        folder = find_checkpoint(options.what, options.checkpoint)
        name = f"{options.what.name}, {folder.name}"
        if config.train.method == "lora":
            load_adapter(model, folder / "model")
        else:
            load_weights(model, folder / "model")
    elif options.adapter:
        load_adapter(model, options.adapter)
        name = f"{name} with {options.adapter}"
    return name, model_answers(model, examples, config)


def model_answers(model: Any, examples: Examples, config: RecipeConfig) -> list[Prediction]:
    """What the model answers to each example."""
    lines = predict(
        model,
        examples,
        batch_size=config.eval.batch_size,
        max_new_tokens=config.eval.max_new_tokens,
        seed=config.train.seed,
    )
    return [from_mapping(line) for line in lines]


def device_of(options: argparse.Namespace) -> str:
    if options.device:
        return str(options.device)
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    sys.exit(main())
