"""Fine-tune: `python -m recipes.train CONFIG --run FOLDER`, or `accelerate launch -m recipes.train …` for several.

Read it from top to bottom: the data and its order, the model and what is trained of it, then steps until the
schedule ends, with a stop now and then to embed anew, to look (evaluation) or to save. The order of the data
is the schedule's alone: this file asks for the next batch and never decides what is in it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes import checkpoint, loop
from recipes.config import RecipeConfig, load_config, to_toml
from recipes.data.examples import Examples
from recipes.data.load import load_examples, load_split
from recipes.errors import RecipeError
from recipes.feed import base_embeddings, batch_preparer, fresh_embeddings, picks_by_distance
from recipes.log import RunLog, installed_trackers
from recipes.loop import learning_rates
from recipes.models.load import LoadedModel, load_model
from recipes.models.lora import add_adapters, train_everything
from recipes.prefetch import prepare_ahead
from recipes.processes import open_accelerator
from recipes.schedule import Batch, build_schedule
from recipes.tasks import TaskError
from recipes.validate import fixed_subset, mean_loss, predict, score_predictions, task_losses, token_counter

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


@dataclass
class Session:
    """A run in progress, as one process sees it."""

    run: Path
    config: RecipeConfig
    accelerator: Any
    examples: Examples
    validation: Examples
    tasks: tuple[str, ...]
    schedule: Any
    embeddings: np.ndarray | None
    model: LoadedModel
    optimizer: torch.optim.Optimizer
    progress: checkpoint.Progress
    log: RunLog | None
    prepare: Callable[[Batch], list[loop.Micro]]


def train(config: RecipeConfig, run: Path, *, resuming: bool = False) -> None:
    """A whole run, from a fresh folder or from its last checkpoint."""
    import torch

    accelerator = open_accelerator(log_with=installed_trackers(config.log.trackers) or None, project_dir=str(run))
    start = find_start(run, config, resuming=resuming)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        prepare_run_folder(run, config)

    # The data, and the order it comes in.
    with accelerator.main_process_first():  # one process reads and measures, the others find it cached
        examples = load_examples(config.data, "train")
        validation = load_split(config.data, "validation")
    validation = fixed_subset(validation, per_task=config.eval.examples_per_task, seed=config.train.seed)
    model = load_model(config.model, device=accelerator.device)
    table = examples.schedule_table(token_counter(model.encoder, examples.tasks))
    embeddings = None
    if picks_by_distance(config.schedule, table):
        embeddings = checkpoint.saved_embeddings(run, start)
        if embeddings is None:
            embeddings = base_embeddings(model, examples, config.train, run=run, accelerator=accelerator)
    schedule = build_schedule(config.schedule, table, embeddings, seed=config.train.seed)
    if accelerator.is_main_process:
        blind = schedule.unjudged_phases({example.task for example in validation})
        unjudged = [f"{phase}: no validation examples of its tasks, so its patience never ends it" for phase in blind]
        for note in (*examples.notes, *validation.notes, *schedule.notes, *unjudged):
            print(note)

    # What is trained, and how.
    torch.manual_seed(config.train.seed)  # the adapters' first weights
    trained = train_everything(model) if config.train.method == "full" else add_adapters(model, config.lora)
    if config.train.gradient_checkpointing:
        loop.enable_checkpointing(model.thinker)
    optimizer = loop.make_optimizer(trained, learning_rates(config.train, config.lora), config.train)

    # From the beginning, or from where it was.
    progress = checkpoint.Progress()
    if start is not None:
        progress = checkpoint.resume(start, loaded=model, optimizer=optimizer, config=config)
        schedule.load_state_dict(progress.schedule)
    log = open_log(run, config, progress, accelerator) if accelerator.is_main_process else None
    prepare = batch_preparer(model, examples, table, config, accelerator=accelerator)
    run_schedule(
        Session(
            run, config, accelerator, examples, validation, table.tasks, schedule, embeddings, model, optimizer,
            progress, log, prepare,
        )
    )  # fmt: skip


def run_schedule(session: Session) -> None:
    """Steps in stretches between two stops; at a stop: embed anew, look, save, each when it is due."""
    config, progress = session.config, session.progress
    total = config.schedule.steps
    intervals = (config.train.refresh_every, config.eval.every, config.train.save_every)
    batches = iter(session.schedule)
    session.model.model.train()
    with ThreadPoolExecutor(config.train.loader_threads) as pool:
        while progress.step < total:
            # Batches are prepared ahead inside a stretch and never across its end: so at every stop
            # the schedule's state is exactly that of the steps taken.
            stop = loop.next_stop(progress.step, total=total, every=intervals)
            take_stretch(session, itertools.islice(batches, stop - progress.step), pool=pool)
            refresh, look, save = (
                interval and (progress.step % interval == 0 or progress.step == total) for interval in intervals
            )
            if refresh and session.embeddings is not None and progress.step < total:
                refresh_embeddings(session)
            if look and session.validation:
                evaluate(session)
            if save or progress.best_step == progress.step:
                save_session(session)
    if session.log is not None:
        session.log.close()
        best = f"best at step {progress.best_step}" if progress.best_step else "never evaluated: no validation split"
        print(f"done: {progress.step} steps, {progress.tokens:,} tokens, {best}")
    session.accelerator.end_training()


def take_stretch(session: Session, batches: Iterator[Batch], *, pool: ThreadPoolExecutor) -> None:
    """Train on these batches, one step each."""
    import torch

    config, progress, accelerator = session.config, session.progress, session.accelerator
    clock = time.perf_counter()
    for batch, micros in prepare_ahead(batches, session.prepare, pool=pool, depth=config.train.loader_threads):
        share = loop.rate_share(progress.step, total=config.schedule.steps, config=config.train)
        rates = loop.set_rates(session.optimizer, share)
        try:
            result = loop.take_step(
                session.model, session.optimizer, micros,
                tasks=session.tasks, config=config.train, accelerator=accelerator,
            )  # fmt: skip
        except torch.OutOfMemoryError as error:
            raise loop.out_of_memory(micros, config.train) from error
        if not result.finite:
            raise bad_batch(session, batch, result)
        progress.step += 1
        progress.tokens += result.tokens
        clock, seconds = time.perf_counter(), time.perf_counter() - clock
        if session.log is not None and progress.step % config.log.every == 0:
            session.log.step(
                {
                    "step": progress.step,
                    "phase": batch.phase,
                    "loss": result.loss,
                    "task_loss": result.task_loss,
                    "grad_norm": result.grad_norm,
                    "lr": max(rates.values()),
                    "lr_parts": rates,
                    "tokens": result.tokens,
                    "seconds": seconds,
                    "epoch": progress.step * config.schedule.batch_size / len(session.examples),
                }
            )


def refresh_embeddings(session: Session) -> None:
    session.embeddings = fresh_embeddings(
        session.model, session.examples, session.config.train, accelerator=session.accelerator
    )
    session.schedule.replace_embeddings(session.embeddings)


def evaluate(session: Session) -> None:
    """Look at the fixed subset, keep the answers, tell the schedule, remember the best."""
    import torch

    config, progress = session.config, session.progress
    try:
        predictions = predict(
            session.model,
            session.validation,
            batch_size=config.eval.batch_size,
            max_new_tokens=config.eval.max_new_tokens,
            seed=config.train.seed,
            accelerator=session.accelerator,
        )
    except torch.OutOfMemoryError as error:
        raise RecipeError(
            f"out of memory while evaluating: lower eval.batch_size (now {config.eval.batch_size}) or eval.max_new_tokens "
            f"(now {config.eval.max_new_tokens}) and start again with --resume: it is no part of what a checkpoint fixes."
        ) from error
    scores = score_predictions(predictions, session.validation.tasks)
    metric = mean_loss(scores)
    session.schedule.observe(task_losses(scores))
    if progress.best_metric is None or metric < progress.best_metric:
        progress.best_metric, progress.best_step = metric, progress.step
    if session.log is not None:
        folder = session.run / "predictions"
        folder.mkdir(exist_ok=True)
        lines = [json.dumps(prediction, ensure_ascii=False) + "\n" for prediction in predictions]
        (folder / f"step-{progress.step}.jsonl").write_text("".join(lines), encoding="utf-8")
        session.log.evaluation({"step": progress.step, "eval": scores})


def save_session(session: Session) -> None:
    session.progress.schedule = session.schedule.state_dict()
    if session.accelerator.is_main_process:
        checkpoint.save_checkpoint(
            session.run,
            session.progress,
            loaded=session.model,
            optimizer=session.optimizer,
            config=session.config,
            embeddings=session.embeddings if session.config.train.refresh_every else None,
        )
    session.accelerator.wait_for_everyone()


def bad_batch(session: Session, batch: Batch, result: loop.StepResult) -> RecipeError:
    """Stop on a loss or gradient that is no number: name the batch, change nothing, keep the last good checkpoint."""
    from accelerate.utils import gather_object

    several = session.accelerator.num_processes > 1
    guilty = sorted(gather_object(list(result.bad_rows)) if several else result.bad_rows)
    names = [session.examples.name(index) for index in batch.indices]
    report = session.run / f"bad-batch-{batch.step}.json"
    if session.accelerator.is_main_process:
        content = {"batch": batch.step, "phase": batch.phase, "indices": list(batch.indices), "examples": names}
        report.write_text(json.dumps(content | {"not_finite": guilty}, ensure_ascii=False, indent=1), encoding="utf-8")
    saved = checkpoint.saved_steps(session.run)
    return RecipeError(
        f"batch {batch.step} ({batch.phase}): loss {result.loss:.4g}, gradient norm {result.grad_norm:.4g}, so training "
        f"stopped before the update. Not finite: {', '.join(guilty[:5]) or 'the gradient alone'}. All "
        f"{len(names)} examples are in {report}. Last good checkpoint: {f'step-{saved[-1]}' if saved else 'none yet'}. "
        "Check those examples; if they are sound, lower the learning rate or raise train.warmup_share."
    )


def find_start(run: Path, config: RecipeConfig, *, resuming: bool) -> Path | None:
    """The checkpoint to go on from, or None for a fresh start; a folder in use is never overwritten."""
    saved = checkpoint.saved_steps(run)
    if saved and not resuming:
        raise RecipeError(
            f"{run}: holds a run that reached step {saved[-1]}. Add --resume to go on, or choose another --run."
        )
    if not saved:
        return None
    start = checkpoint.checkpoint_folder(run, saved[-1])
    checkpoint.check_config(start, config)
    return start


def prepare_run_folder(run: Path, config: RecipeConfig) -> None:
    """The folder with its config, without what a killed run left half-written."""
    (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    for leftover in (run / "checkpoints").glob(".writing-*"):
        shutil.rmtree(leftover)
    (run / "config.toml").write_text(to_toml(config), encoding="utf-8")


def open_log(run: Path, config: RecipeConfig, progress: checkpoint.Progress, accelerator: Any) -> RunLog:
    if accelerator.log_with:
        accelerator.init_trackers(config.log.project, config={"run": str(run), "schedule": config.schedule.kind})
    return RunLog(run, resumed_at=progress.step, total=config.schedule.steps, accelerator=accelerator)


if __name__ == "__main__":
    sys.exit(main())
