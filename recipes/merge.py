"""Export a run's model: `python -m recipes.merge RUN --adapter FOLDER` and/or `--merged FOLDER`.

The adapter is a few megabytes and needs the base model. The merged model is whole: it loads wherever Qwen2.5-Omni's
thinker does, and `hf:FOLDER` in a build asks it for summaries of transcripts (by text: it hears nothing).

What was written is loaded back and must answer a few validation examples as the model in training did. In bfloat16
merging rounds the weights, so a merged model may word an answer differently; how much its loss moved is printed.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from recipes.config import RecipeConfig, load_config
from recipes.data.examples import Examples
from recipes.data.load import load_examples, load_split
from recipes.errors import RecipeError
from recipes.models.export import check_empty, compare_answers, push, save_adapter, save_merged
from recipes.models.load import LoadedModel, load_model
from recipes.models.lora import add_adapters, load_adapter
from recipes.tasks import TaskError
from recipes.training import checkpoint
from recipes.training.model_card import write_card
from recipes.training.validate import Prediction, fixed_subset, predict

# Merging rounds each weight to bfloat16's 8 bits; on toy and real shapes alike the mean loss then moves by
# less than a hundredth. More than this is a different model.
LOSS_MAY_MOVE = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.merge", description="Export a run's adapter or merged model.")
    parser.add_argument("run", type=Path, help="run folder of recipes.train")
    parser.add_argument("--checkpoint", default="best", help="best, last or step-N")
    parser.add_argument("--adapter", type=Path, help="write the adapter, with its model card, here")
    parser.add_argument("--merged", type=Path, help="write base and adapter as one model, with its card, here")
    parser.add_argument(
        "--push", metavar="NAME", help="upload what was written to this repository on the Hub (private)"
    )
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], help="of the merged weights; none: as in the run")
    parser.add_argument(
        "--examples",
        type=int,
        default=4,
        help="validation (without any, training) examples of each task to compare answers on",
    )
    parser.add_argument("--device", default="cpu", help="cuda for models of real size")
    options = parser.parse_args(arguments)
    if not (options.adapter or options.merged):
        parser.error("say what to write: --adapter FOLDER, --merged FOLDER, or both")
    if options.push and options.adapter and options.merged:
        parser.error("--push uploads one of the two: run it once for each, with a name of its own")
    try:
        export(options)
    except (RecipeError, TaskError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def export(options: argparse.Namespace) -> None:
    """Everything `main` does: write what was asked for, load it back, compare its answers, upload it."""
    run, device = options.run, options.device
    config = load_config(run / "config.toml", [f"model.dtype={options.dtype}"] if options.dtype else [])
    source = checkpoint.find_checkpoint(run, options.checkpoint)
    if config.train.method == "full" and options.adapter:
        raise RecipeError(f"{run}: trained every weight, so there is no adapter. Use --merged.")
    check_empty([folder for folder in (options.adapter, options.merged) if folder])

    every = load_split(config.data, "validation") or load_examples(config.data, "train")
    examples = fixed_subset(every, per_task=options.examples, seed=config.train.seed)
    model = trained_model(config, source, device=device)
    expected = answers(model, examples, config)
    card = functools.partial(write_card, run=run, config=config, step=source.name)
    if options.adapter:
        save_adapter(model, options.adapter)
        card(options.adapter, name=options.push or options.adapter.name, merged=False)
    if options.merged:
        save_merged(model, options.merged)
        card(options.merged, name=options.push or options.merged.name, merged=True)
    del model  # one model of real size at a time

    if options.adapter:
        check_adapter(options.adapter, expected, examples, config, device=device)
    if options.merged:
        check_merged(options.merged, expected, examples, config, device=device)
    if options.push:
        push(options.adapter or options.merged, options.push)


def trained_model(config: RecipeConfig, source: Path, *, device: str) -> LoadedModel:
    """The model as it stood at a checkpoint."""
    model = load_model(config.model, device=device)
    if config.train.method == "lora":
        add_adapters(model, config.lora)
    checkpoint.load_weights(model, source / "model")
    model.model.eval()
    return model


def answers(model: LoadedModel, examples: Examples, config: RecipeConfig) -> list[Prediction]:
    """The first words of each answer: enough to tell two models apart."""
    return predict(
        model,
        examples,
        batch_size=config.eval.batch_size,
        max_new_tokens=min(64, config.eval.max_new_tokens),
        seed=config.train.seed,
    )


def check_adapter(
    folder: Path, expected: Sequence[Prediction], examples: Examples, config: RecipeConfig, *, device: str
) -> None:
    """Load the adapter back onto its base model: it must answer just as in training."""
    model = load_model(config.model, device=device)
    load_adapter(model, folder)
    comparison = compare_answers(expected, answers(model, examples, config))
    print(f"{folder}: {comparison}")
    if not comparison.same:
        raise RecipeError(f"{folder}: loaded back, the adapter answers otherwise. Do not use it; say so.")


def check_merged(
    folder: Path, expected: Sequence[Prediction], examples: Examples, config: RecipeConfig, *, device: str
) -> None:
    """Load the merged model back: its loss must be that of training, but for rounding."""
    model = load_model(config.model.model_copy(update={"path": str(folder)}), device=device)
    comparison = compare_answers(expected, answers(model, examples, config))
    print(f"{folder}: {comparison}")
    if abs(comparison.loss_moved) > LOSS_MAY_MOVE:
        raise RecipeError(
            f"{folder}: merging moved the loss by {comparison.loss_moved:+.3f}, so this is another model. "
            "Merge with --dtype float32, or use the adapter."
        )


if __name__ == "__main__":
    sys.exit(main())
