"""Validation during training: loss and answers on a fixed subset of the validation examples.

The subset, its instructions and its batches are chosen once from the seed, so that two evaluations differ by
the weights alone. The examples are shared out over the processes, and every process gets the whole result.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recipes.data.examples import CountTokens, Example, Examples, LoadedExample
from recipes.models.collate import Encoder, Prompt
from recipes.models.generate import generate
from recipes.models.load import LoadedModel
from recipes.tasks import Task
from recipes.tasks.base import scored_as
from recipes.training.losses import target_losses

Prediction = dict[str, Any]


def fixed_subset(examples: Examples, *, per_task: int, seed: int) -> Examples:
    """At most `per_task` examples of every task, heard and read counted apart; the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    by_task: dict[str, list[int]] = {}
    for index in rng.permutation(len(examples)).tolist():
        by_task.setdefault(scored_as(examples[index].task, examples[index].modality), []).append(index)
    return examples.subset(sorted(index for indices in by_task.values() for index in indices[:per_task]))


def example_prompt(loaded: LoadedExample, task: Task, *, name: str, draw: str) -> Prompt:
    """An example as the model gets it; `draw` seeds the choice of the instruction."""
    return Prompt(
        words=task.prompt(loaded, random.Random(draw)),
        target=task.target(loaded),
        audio=loaded.audio,
        name=name,
    )


def predict(
    model: LoadedModel, examples: Examples, *, batch_size: int, max_new_tokens: int, seed: int, accelerator: Any = None
) -> list[Prediction]:
    """Answer and loss of every example, in order."""
    world, process = (accelerator.num_processes, accelerator.process_index) if accelerator else (1, 0)
    check_lengths(examples, model.encoder)
    mine: list[tuple[int, Prediction]] = []
    for indices in batches_alike(examples, batch_size)[process::world]:
        mine += predict_batch(model, examples, indices, max_new_tokens=max_new_tokens, seed=seed)
    if world > 1:
        from accelerate.utils import gather_object

        mine = gather_object(mine)
    return [prediction for _, prediction in sorted(mine, key=lambda pair: pair[0])]


def check_lengths(examples: Sequence[Example], encoder: Encoder) -> None:
    """Refuse examples that are longer than the model takes, before any audio is read."""
    if examples:
        longest = max(examples, key=lambda example: example.seconds)
        encoder.check_seconds(longest.seconds, name=f"{longest.source}: the longest clip")


def batches_alike(examples: Sequence[Any], size: int) -> list[list[int]]:
    """Batches of one task and of similar length, so that little is padded and no answer waits for a long one."""
    order = sorted(range(len(examples)), key=lambda i: (examples[i].task, examples[i].seconds, i))
    batches: list[list[int]] = []
    for index in order:
        if not batches or len(batches[-1]) == size or examples[batches[-1][0]].task != examples[index].task:
            batches.append([])
        batches[-1].append(index)
    return batches


def predict_batch(
    model: LoadedModel, examples: Examples, indices: Sequence[int], *, max_new_tokens: int, seed: int
) -> Iterator[tuple[int, Prediction]]:
    """Answer and loss of the examples with these indices, in one batch."""
    import torch

    loaded = [examples.load(index) for index in indices]
    prompts = []
    for index, row in zip(indices, loaded, strict=True):
        name = examples.name(index)
        prompts.append(
            example_prompt(row, examples.tasks[row.example.task], name=name, draw=f"evaluation {seed} {name}")
        )
    was_training = model.model.training
    model.model.eval()
    with torch.inference_mode():
        batch = model.encoder.examples(prompts)
        losses = target_losses(model, batch).tolist()
        lengths = torch.bincount(batch.target_rows, minlength=len(prompts)).tolist()
        answers = generate(model, model.encoder.prompts(prompts), max_new_tokens=max_new_tokens)
    model.model.train(was_training)
    for index, row, prompt, answer, loss, length in zip(
        indices, loaded, prompts, answers, losses, lengths, strict=True
    ):
        yield index, describe_prediction(row, prompt, answer=answer, loss=loss, length=length)


def describe_prediction(loaded: LoadedExample, prompt: Prompt, *, answer: str, loss: float, length: int) -> Prediction:
    """One line of `predictions/step-N.jsonl`."""
    return {
        "task": loaded.example.task,
        "example": prompt.name,
        "answer": answer,
        "reference": prompt.target,
        "label": loaded.example.label,
        "dialect": loaded.columns.get("dialect"),
        "seconds": loaded.example.seconds,
        "snr_db": loaded.columns.get("snr_db"),
        "modality": loaded.example.modality,
        "language": loaded.example.language,
        "recording": loaded.named("recording"),
        "speaker": loaded.named("speaker"),
        "loss": loss,
        "target_tokens": length,
    }


def score_predictions(predictions: Sequence[Prediction], tasks: Mapping[str, Task]) -> dict[str, dict[str, float]]:
    """Each task's metrics and its loss per target token, heard (`dialect`) and read (`dialect+text`) apart."""
    groups: dict[str, list[Prediction]] = {}
    for name in tasks:
        for row in predictions:
            if row["task"] == name:
                groups.setdefault(scored_as(name, row["modality"]), []).append(row)
    scores = {}
    for key, rows in groups.items():
        loss = sum(row["loss"] for row in rows) / sum(row["target_tokens"] for row in rows)
        metrics = tasks[rows[0]["task"]].score([row["answer"] for row in rows], [row["reference"] for row in rows])
        scores[key] = {"loss": loss, **metrics}
    return scores


def task_losses(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each task's loss: the mean of its losses heard and read."""
    losses: dict[str, list[float]] = {}
    for key, metrics in scores.items():
        losses.setdefault(key.split("+")[0], []).append(metrics["loss"])
    return {task: sum(values) / len(values) for task, values in losses.items()}


def mean_loss(scores: Mapping[str, Mapping[str, float]]) -> float:
    """The mean over tasks of their loss: what "best" and "plateau" look at. Every task counts alike."""
    losses = task_losses(scores)
    return sum(losses.values()) / len(losses)


def token_counter(encoder: Encoder, tasks: Mapping[str, Task]) -> CountTokens:
    """`count_tokens` for `Examples.schedule_table`: whole sequences, with the longest instruction of each task."""
    longest: dict[tuple[str, str, str], int] = {}

    def instruction_tokens(example: Example) -> int:
        kind = (example.task, example.modality, example.language)
        if kind not in longest:
            longest[kind] = max(encoder.count_words(tasks[example.task].instructions(*kind[1:])))
        return longest[kind]

    def count(examples: Sequence[Any], texts: Sequence[str]) -> list[int]:
        check_lengths(examples, encoder)
        words = encoder.count_words(texts)
        return [
            encoder.frame_tokens(example.seconds) + instruction_tokens(example) + length
            for example, length in zip(examples, words, strict=True)
        ]

    return count
