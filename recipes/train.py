"""Fine-tune: `python -m recipes.train CONFIG --run FOLDER`, or `accelerate launch -m recipes.train …` for several.

Read it from top to bottom: the data, the model, the order of the data, what is trained and how, and where the run
goes on from. Then `recipes/training/loop.py` takes the steps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.config import RecipeConfig, load_config
from recipes.data.examples import Examples
from recipes.data.load import load_examples, load_split
from recipes.errors import RecipeError
from recipes.models.load import LoadedModel, enable_gradient_checkpointing, load_model
from recipes.models.lora import add_adapters, train_everything
from recipes.schedule import build_schedule
from recipes.schedule.stream import Schedule
from recipes.tasks import TaskError
from recipes.training import checkpoint
from recipes.training.feed import batch_preparer, starting_embeddings
from recipes.training.log import RunLog, installed_trackers
from recipes.training.loop import Session, run_schedule
from recipes.training.losses import Loss, answer_loss
from recipes.training.parallel import open_accelerator
from recipes.training.rates import learning_rates, make_optimizer
from recipes.training.run_folder import find_start, prepare_run_folder
from recipes.training.validate import fixed_subset, token_counter

if TYPE_CHECKING:
    import torch


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.train", description="Fine-tune an audio LLM under a data schedule.")
    parser.add_argument("config", type=Path, help="TOML file, such as recipes/configs/tiny.toml")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: log, checkpoints, predictions")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override one key")
    options = parser.parse_args(arguments)
    try:
        train(load_config(options.config, options.set), options.run, resuming=options.resume)
    except (RecipeError, TaskError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"stopped. The last checkpoint in {options.run} is whole: --resume goes on from it.", file=sys.stderr)
        return 130
    return 0


def train(config: RecipeConfig, run: Path, *, resuming: bool = False, loss: Loss = answer_loss) -> None:
    """A whole run that lowers `loss`, from a fresh folder or from its last checkpoint."""
    accelerator = open_accelerator(log_with=installed_trackers(config.log.trackers) or None, project_dir=str(run))
    start = find_start(run, config, resuming=resuming)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        prepare_run_folder(run, config)
    examples, validation = read_data(config, accelerator)
    model = load_model(config.model, device=accelerator.device)
    table = examples.schedule_table(token_counter(model.encoder, examples.tasks))
    embeddings = starting_embeddings(model, examples, table, config, run=run, start=start, accelerator=accelerator)
    schedule = build_schedule(config.schedule, table, embeddings, seed=config.train.seed)
    if accelerator.is_main_process:
        print_notes(examples, validation, schedule)
    optimizer = prepare_model(model, config)
    progress = checkpoint.Progress()
    if start is not None:
        progress = checkpoint.resume(start, loaded=model, optimizer=optimizer, config=config)
        schedule.load_state_dict(progress.schedule)
    session = Session(
        run=run,
        config=config,
        accelerator=accelerator,
        examples=examples,
        validation=validation,
        tasks=table.tasks,
        schedule=schedule,
        embeddings=embeddings,
        model=model,
        optimizer=optimizer,
        progress=progress,
        log=open_log(run, config, progress, accelerator) if accelerator.is_main_process else None,
        prepare=batch_preparer(model, examples, table, config, accelerator=accelerator),
        loss=loss,
    )
    run_schedule(session)


def read_data(config: RecipeConfig, accelerator: Any) -> tuple[Examples, Examples]:
    """The training examples, and the validation examples that are evaluated on."""
    with accelerator.main_process_first():  # one process reads and measures, the others find it cached
        examples = load_examples(config.data, "train")
        validation = load_split(config.data, "validation")
    return examples, fixed_subset(validation, per_task=config.eval.examples_per_task, seed=config.train.seed)


def print_notes(examples: Examples, validation: Examples, schedule: Schedule) -> None:
    """Print what was left out of the data, and what the schedule can't do with it."""
    blind = schedule.unjudged_phases({example.task for example in validation})
    unjudged = [f"{phase}: no validation examples of its tasks, so its patience never ends it" for phase in blind]
    for note in (*examples.notes, *validation.notes, *schedule.notes, *unjudged):
        print(note)


def prepare_model(model: LoadedModel, config: RecipeConfig) -> torch.optim.Optimizer:
    """Put the adapters into the model, or unfreeze it whole, and give the optimizer of what is trained."""
    import torch

    torch.manual_seed(config.train.seed)  # the adapters' first weights
    trained = (
        train_everything(model, freeze_tower=config.train.freeze_tower)
        if config.train.method == "full"
        else add_adapters(model, config.lora)
    )
    if config.train.gradient_checkpointing:
        enable_gradient_checkpointing(model.thinker)
    return make_optimizer(trained, learning_rates(config.train, config.lora), config.train)


def open_log(run: Path, config: RecipeConfig, progress: checkpoint.Progress, accelerator: Any) -> RunLog:
    if accelerator.log_with:
        accelerator.init_trackers(config.log.project, config={"run": str(run), "schedule": config.schedule.kind})
    return RunLog(run, resumed_at=progress.step, total=config.schedule.steps, accelerator=accelerator)


if __name__ == "__main__":
    sys.exit(main())
