"""Four schedules on real speech: does the order of the data matter, at a size where everything can be seen?

    python benchmarks/schedules_on_real_speech.py --data ../shared/data --out FOLDER

A small thinker (the real classes, random weights) learns three tasks from zero under Uniform, TPC, ADS and
TPC→ADS, with equal updates, batches, model and three seeds, on speakers that the evaluation does not know:

- asr: the words of Arabic Speech Commands (40) and of BAVED (7), written out in Arabic;
- emotion: BAVED's three levels of emotion, from how it is said;
- keyword: which command was spoken, named in English. A stand-in for a discriminative task over
  content such as dialect identification; we have no dialect labels here.

ADS needs an aligner that hears something, and this one starts from random weights: its embeddings are refreshed
by the model itself four times a run. Runs share nothing and finished ones are skipped, so it can be stopped and
started again. What is printed is the last step of every run on 240 held-out examples a task: no step was selected.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.config import RecipeConfig, parse_config
from recipes.tasks import Inventory, Label, Modality
from recipes.tasks.base import register
from recipes.tasks.classification import Classification
from recipes.training.log import read_log

SCHEDULES = {"uniform": "Uniform", "tpc": "TPC", "ads": "ADS", "hybrid": "TPC→ADS"}
KEYWORDS = [
    "backward",
    "cancel",
    "close",
    "digit",
    "direction",
    "disable",
    "down",
    "eight",
    "enable",
    "enter",
    "five",
    "forward",
    "four",
    "left",
    "move",
    "next",
    "nine",
    "no",
    "ok",
    "one",
    "open",
    "options",
    "previous",
    "receive",
    "record",
    "right",
    "rotate",
    "send",
    "seven",
    "six",
    "start",
    "stop",
    "three",
    "two",
    "undo",
    "up",
    "yes",
    "zero",
    "zoom_in",
    "zoom_out",
]
HEADLINES = {"asr": "wer", "emotion": "macro_f1", "keyword": "macro_f1"}


@register
class Keyword(Classification):
    """Which of forty commands. The choices are not listed in the instruction: they would be most of the tokens."""

    name = "keyword"
    columns = ("keyword",)

    @property
    def inventory(self) -> Inventory:
        return Inventory(
            labels=tuple(Label(code=word, english=word.replace("_", " "), arabic=word) for word in KEYWORDS)
        )

    def questions(self, modality: Modality) -> tuple[Sequence[str], Sequence[str]]:
        return ("Which command is it?", "Name the command."), ("ما الأمر؟",)

    def instructions(self, modality: Modality, language: str = "ar") -> Sequence[str]:
        return [question for questions in self.questions(modality) for question in questions]


def experiment(kind: str, seed: int, *, data: Path, steps: int) -> RecipeConfig:
    """The config of one run; nothing but the schedule's kind and the seed differs between runs."""
    commands, baved = str(data / "arabic-speech-commands"), str(data / "baved")
    return parse_config(
        {
            "model": {
                "path": "tiny",
                "dtype": "float32",
                "tiny": {"width": 96, "layers": 2, "audio_width": 96, "audio_layers": 3, "head_width": 32,
                         "vocabulary": 1000, "seed": seed},
            },
            "data": {
                "tasks": ["asr", "emotion", "keyword"],
                "emotions": "levels",
                "generative_label": "source",
                "datasets": [
                    {"path": commands, "format": "speech-commands", "tasks": ["asr", "keyword"]},
                    {"path": baved, "format": "baved", "tasks": ["asr", "emotion"]},
                ],
            },
            "schedule": {"kind": kind, "steps": steps, "batch_size": 32},
            "train": {
                "method": "full", "learning_rate": 1.5e-3, "weight_decay": 0.05, "warmup_share": 0.1, "precision": "fp32",
                "gradient_checkpointing": False, "seed": seed, "save_every": steps, "keep": 1, "loader_threads": 1,
                "refresh_every": max(1, steps // 4),
            },
            "eval": {"every": max(1, steps // 5), "examples_per_task": 240, "batch_size": 60, "max_new_tokens": 12},
            "log": {"every": 1},
        },
        source="experiment",
    )  # fmt: skip


def run_one(kind: str, seed: int, *, data: Path, out: Path, steps: int) -> None:
    import torch

    from recipes.train import train

    torch.set_num_threads(1)
    train(experiment(kind, seed, data=data, steps=steps), out / f"{kind}-{seed}", resuming=True)


def run_all(options: argparse.Namespace) -> None:
    """All runs, as many at a time as asked for, one core each."""

    def launch(kind: str, seed: int) -> None:
        command = [sys.executable, __file__, "--data", str(options.data), "--out", str(options.out)]
        command += ["--steps", str(options.steps), "--only", kind, str(seed)]
        log = options.out / f"{kind}-{seed}.txt"
        with log.open("a", encoding="utf-8") as file:
            done = subprocess.run(
                command, stdout=file, stderr=file, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
            )
        print(f"{kind} seed {seed}: {'done' if done.returncode == 0 else f'failed, see {log}'}", flush=True)

    options.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.at_once) as pool:
        for seed in range(options.seeds):
            for kind in SCHEDULES:
                if not finished(options.out / f"{kind}-{seed}", options.steps):
                    pool.submit(launch, kind, seed)


def finished(run: Path, steps: int) -> bool:
    return (run / "checkpoints" / f"step-{steps}").is_dir()


def show(out: Path, *, seeds: int, steps: int) -> None:
    """The table of last steps, and the curves in words a terminal can show; of finished runs only."""
    runs: dict[str, list[list[dict[str, Any]]]] = {}
    for kind in SCHEDULES:
        folders = [out / f"{kind}-{seed}" for seed in range(seeds)]
        logs = [read_log(folder / "log.jsonl") for folder in folders if finished(folder, steps)]
        if logs:
            runs[kind] = logs
    titles = ["schedule", "runs", "asr WER ↓", "emotion F1 ↑", "keyword F1 ↑", "mean loss ↓", "grad-norm CV, last half"]
    print("| " + " | ".join(titles) + " |\n|" + "---|" * len(titles))
    for kind, logs in runs.items():
        last = [evaluations(log)[-1]["eval"] for log in logs]
        cells = [spread([scores[task][metric] for scores in last]) for task, metric in HEADLINES.items()]
        loss = spread([statistics.fmean(metrics["loss"] for metrics in scores.values()) for scores in last])
        print(
            f"| {SCHEDULES[kind]} | {len(logs)} | {' | '.join(cells)} | {loss} | {spread([volatility(log) for log in logs])} |"
        )
    for task, metric in HEADLINES.items():
        print(f"\n{task} {metric}, mean over seeds, by step")
        for kind, logs in runs.items():
            points = zip(*[evaluations(log) for log in logs], strict=False)
            line = [
                (point[0]["step"], statistics.fmean(one["eval"][task][metric] for one in point)) for point in points
            ]
            print(f"  {SCHEDULES[kind]:<8} " + "  ".join(f"{step}:{value:.3f}" for step, value in line))


def write_page(out: Path, *, seeds: int) -> Path:
    """The page of `recipes.compare`: curves with seeds, intervals, paired tests against Uniform."""
    from recipes.compare import compare

    runs = [f"{SCHEDULES[kind]}={out / f'{kind}-{seed}'}" for kind in SCHEDULES for seed in range(seeds)]
    return compare(runs, out / "page", split="validation", title="Four schedules on real speech")


def evaluations(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in log if "eval" in line]


def volatility(log: list[dict[str, Any]]) -> float:
    """Spread of the gradient norm relative to its mean, over the second half of a run."""
    norms = [line["grad_norm"] for line in log if "loss" in line]
    later = norms[len(norms) // 2 :]
    return statistics.stdev(later) / statistics.fmean(later)


def spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values) if len(values) > 1 else 0.0:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "schedules_on_real_speech")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=2, help="runs at a time, one core each")
    parser.add_argument("--show", action="store_true", help="only the table of what is finished")
    parser.add_argument("--only", nargs=2, metavar=("KIND", "SEED"), help="one run, in this process")
    options = parser.parse_args()
    if not (options.data / "baved" / "index.csv").is_file():
        sys.exit(f"{options.data}: needs arabic-speech-commands/ and baved/ in it; say where with --data")
    if options.only:
        kind, seed = options.only
        run_one(kind, int(seed), data=options.data, out=options.out, steps=options.steps)
    elif options.show:
        show(options.out, seeds=options.seeds, steps=options.steps)
    else:
        run_all(options)
        show(options.out, seeds=options.seeds, steps=options.steps)
        print(f"\n{write_page(options.out, seeds=options.seeds)}")


if __name__ == "__main__":
    main()
