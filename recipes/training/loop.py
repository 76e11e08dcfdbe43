"""The loop of a run: steps in stretches, and what happens between two stretches.

A run's order of data is its schedule's alone: the loop asks for the next batch and never decides what is in it.
Between stretches the loop embeds the clips anew, evaluates or saves, each when it is due.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.config import RecipeConfig
from recipes.data.examples import Examples
from recipes.errors import RecipeError
from recipes.models.load import LoadedModel
from recipes.schedule import Batch
from recipes.training import checkpoint
from recipes.training.batches import MicroBatch
from recipes.training.failures import bad_batch, out_of_memory
from recipes.training.feed import fresh_embeddings
from recipes.training.log import RunLog
from recipes.training.losses import Loss, answer_loss
from recipes.training.prefetch import prepare_ahead
from recipes.training.rates import batch_rate_share, set_rates
from recipes.training.step import take_step
from recipes.training.validate import mean_loss, predict, score_predictions, task_losses

if TYPE_CHECKING:
    import torch


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
    prepare: Callable[[Batch], list[MicroBatch]]
    loss: Loss = answer_loss


def next_stop(step: int, *, total: int, every: Sequence[int]) -> int:
    """The next step after which the loop embeds, evaluates or saves; an interval of 0 never comes."""
    return min([total, *((step // interval + 1) * interval for interval in every if interval)])


def run_schedule(session: Session) -> None:
    """Take the schedule's steps in stretches; after each stretch embed anew, evaluate and save, what is due."""
    config, progress = session.config, session.progress
    total = config.schedule.steps
    intervals = (config.train.refresh_every, config.eval.every, config.train.save_every)
    batches = iter(session.schedule)
    session.model.model.train()
    with ThreadPoolExecutor(config.train.loader_threads) as pool:
        while progress.step < total:
            # Batches are prepared ahead inside a stretch and never across its end: so at every stop
            # the schedule's state is exactly that of the steps taken.
            stop = next_stop(progress.step, total=total, every=intervals)
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
        share = batch_rate_share(batch, total=config.schedule.steps, config=config.train)
        rates = set_rates(session.optimizer, share)
        try:
            result = take_step(
                session.model, session.optimizer, micros,
                tasks=session.tasks, config=config.train, accelerator=accelerator, loss=session.loss,
                shares=batch.weights,
            )  # fmt: skip
        except torch.OutOfMemoryError as error:
            raise out_of_memory(micros, config.train) from error
        if not result.finite:
            raise bad_batch(batch, result, run=session.run, examples=session.examples, accelerator=accelerator)
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
                    "loss_share": result.loss_share,
                    "grad_norm": result.grad_norm,
                    "lr": max(rates.values()),
                    "lr_parts": rates,
                    "tokens": result.tokens,
                    "targets": result.targets,
                    "seconds": seconds,
                    "epoch": progress.step * config.schedule.batch_size / len(session.examples),
                }
            )


def refresh_embeddings(session: Session) -> None:
    """Embed all clips with the model as it is now, and give the vectors to the schedule."""
    session.embeddings = fresh_embeddings(
        session.model, session.examples, session.config.train, accelerator=session.accelerator
    )
    session.schedule.replace_embeddings(session.embeddings)


def evaluate(session: Session) -> None:
    """Evaluate on the fixed subset: write the answers, give the losses to the schedule, note the best step."""
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
    """Write a checkpoint of the run as it stands."""
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
