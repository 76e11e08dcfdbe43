"""Take a trained model out of its run: `python -m recipes.merge RUN --adapter FOLDER` and/or `--merged FOLDER`.

The adapter is a few megabytes and needs the base model; the merged model is whole, and loads wherever
Qwen2.5-Omni's thinker does. `hf:FOLDER` in a build asks it for summaries of transcripts: by text, it hears nothing. Both are loaded back and must answer a few validation
examples as the model in training did: a file that was written is not yet a model that works. In bfloat16 merging
rounds the weights, so a merged model may word an answer differently; how much its loss moved is said.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.config import RecipeConfig, load_config
from recipes.data.examples import Examples
from recipes.data.load import load_examples, load_split
from recipes.errors import RecipeError
from recipes.models.load import LoadedModel, load_model, save_model
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
    run = options.run
    config = load_config(run / "config.toml", [f"model.dtype={options.dtype}"] if options.dtype else [])
    source = checkpoint.find_checkpoint(run, options.checkpoint)
    if config.train.method == "full" and options.adapter:
        raise RecipeError(f"{run}: trained every weight, so there is no adapter. Use --merged.")
    for folder in filter(None, (options.adapter, options.merged)):
        if folder.exists() and any(folder.iterdir()):
            raise RecipeError(f"{folder}: not empty. Choose another folder, or delete this one.")

    every = load_split(config.data, "validation") or load_examples(config.data, "train")
    examples = fixed_subset(every, per_task=options.examples, seed=config.train.seed)
    model = trained_model(config, source, device=options.device)
    expected = answers(model, examples, config)
    if options.adapter:
        model.model.save_pretrained(options.adapter, save_embedding_layers=False)
        write_card(
            options.adapter,
            name=options.push or options.adapter.name,
            run=run,
            config=config,
            step=source.name,
            merged=False,
        )
    if options.merged:
        if hasattr(model.model, "peft_config"):
            model.model = model.model.merge_and_unload(safe_merge=True)
        save_model(model, options.merged)
        write_card(
            options.merged,
            name=options.push or options.merged.name,
            run=run,
            config=config,
            step=source.name,
            merged=True,
        )
    del model  # one model of real size at a time

    if options.adapter:
        again = load_model(config.model, device=options.device)
        load_adapter(again, options.adapter)
        comparison = compare_answers(expected, answers(again, examples, config))
        print(f"{options.adapter}: {comparison}")
        if not comparison.same:
            raise RecipeError(f"{options.adapter}: loaded back, the adapter answers otherwise. Do not use it; say so.")
        del again
    if options.merged:
        merged = load_model(config.model.model_copy(update={"path": str(options.merged)}), device=options.device)
        comparison = compare_answers(expected, answers(merged, examples, config))
        print(f"{options.merged}: {comparison}")
        if abs(comparison.loss_moved) > LOSS_MAY_MOVE:
            raise RecipeError(
                f"{options.merged}: merging moved the loss by {comparison.loss_moved:+.3f}, so this is another model. "
                "Merge with --dtype float32, or use the adapter."
            )
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
    return predict(
        model,
        examples,
        batch_size=config.eval.batch_size,
        max_new_tokens=min(64, config.eval.max_new_tokens),
        seed=config.train.seed,
    )


@dataclass(frozen=True)
class Comparison:
    """Two models' answers to the same examples."""

    equal: int
    total: int
    loss_moved: float

    @property
    def same(self) -> bool:
        return self.equal == self.total and math.isclose(self.loss_moved, 0.0, abs_tol=1e-3)

    def __str__(self) -> str:
        return f"{self.equal} of {self.total} answers the same as in training, loss moved by {self.loss_moved:+.5f}"


def compare_answers(expected: Sequence[Prediction], found: Sequence[Prediction]) -> Comparison:
    def loss(predictions: Sequence[Prediction]) -> float:
        return sum(p["loss"] for p in predictions) / sum(p["target_tokens"] for p in predictions)

    equal = sum(one["answer"] == other["answer"] for one, other in zip(expected, found, strict=True))
    return Comparison(equal, len(expected), loss(found) - loss(expected))


def push(folder: Path, name: str) -> None:
    """Upload a folder as a private model repository."""
    from huggingface_hub import HfApi

    api: Any = HfApi()
    api.create_repo(name, repo_type="model", private=True, exist_ok=True)
    api.upload_folder(
        repo_id=name, folder_path=str(folder), repo_type="model", commit_message="Upload fine-tuned model"
    )
    print(f"pushed to {name}, private: look at its card, then open it there")


if __name__ == "__main__":
    sys.exit(main())
