"""Graders of summaries that an evaluation adds where its config asks for them: BERTScore, and an LLM as judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recipes.data.examples import Examples
from recipes.evaluation.bertscore import bertscore
from recipes.evaluation.config import EvalConfig
from recipes.evaluation.judge import Grading, grade_summaries, summarize_gradings, wants_judge
from recipes.evaluation.predictions import Prediction, by_task

SUMMARIES = ("ssum", "text_summ")


def add_bertscore(results: dict[str, Any], predictions: Sequence[Prediction], config: EvalConfig) -> None:
    """Add BERTScore to the results of each task of summaries."""
    for name, rows in summaries(predictions).items() if config.bertscore else ():
        answered, wanted = [row.answer for row in rows], [row.reference for row in rows]
        results[name]["bertscore"] = bertscore(answered, wanted, config.bertscore)


def add_judge(
    results: dict[str, Any], predictions: Sequence[Prediction], examples: Examples, config: EvalConfig, *, seed: int
) -> list[Grading]:
    """Add the judge's mean grades to the results of each task of summaries; return every grading."""
    if not wants_judge(config.judge):
        return []
    transcripts = {examples.name(i): examples.text(i).columns.get("transcription") for i in range(len(examples))}
    every: list[Grading] = []
    for name, rows in summaries(predictions).items():
        sources = [str(transcripts[row.example] or row.reference) for row in rows]
        gradings = grade_summaries(rows, sources, config)
        results[name]["judge"] = summarize_gradings(gradings, config, seed=seed)
        every += gradings
    return every


def summaries(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """The predictions that are summaries, by task."""
    return {name: rows for name, rows in by_task(predictions).items() if rows[0].task in SUMMARIES}
