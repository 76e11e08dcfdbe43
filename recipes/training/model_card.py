"""The model card: facts gathered from the run, words from `hub_cards/model.md.j2`.

Nothing is typed in by hand: what it was trained on, how, and how well it did come from the run's own
config and log, so a card can't say what did not happen.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

from recipes.config import RecipeConfig, to_toml
from recipes.errors import RecipeError
from recipes.evaluation.report import METRICS_FILE, read_report
from recipes.tasks import build_tasks
from recipes.training.log import read_log


def write_card(folder: Path, *, name: str, run: Path, config: RecipeConfig, step: str, merged: bool) -> Path:
    """Render the card of an exported model, which will go by `name`, into its folder as README.md."""
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(
        language="ar",
        library_name="transformers" if merged else "peft",
        base_model=config.model.path,
        datasets=[dataset.path for dataset in config.data.datasets if not Path(dataset.path).exists()] or None,
        tags=["audio", "arabic", "qwen2.5-omni", *config.data.tasks],
    )
    facts = card_facts(run, config, step=step)
    card = ModelCard.from_template(data, template_path=str(template_path()), model_name=name, merged=merged, **facts)
    path = folder / "README.md"
    card.save(path)
    return path


def card_facts(run: Path, config: RecipeConfig, *, step: str) -> dict[str, Any]:
    """The values that the template needs, from the run's config and log."""
    number = int(step.removeprefix("step-"))
    lines = read_log(run / "log.jsonl") if (run / "log.jsonl").is_file() else []
    scores = [line["eval"] for line in lines if "eval" in line and line["step"] <= number]
    tasks = build_tasks(config.data.tasks, config.data.task_options())
    return {
        "base_model": config.model.path,
        "step": number,
        "tasks": [{"name": task.name, "kind": task.kind, "headline": task.headline} for task in tasks.values()],
        "metrics": scores[-1] if scores else {},
        "evaluation": test_evaluation(run, step),
        "schedule": config.schedule.model_dump(mode="json"),
        "lora": config.lora.model_dump(mode="json") if config.train.method == "lora" else {},
        "train": config.train.model_dump(mode="json"),
        "data": config.data.model_dump(mode="json"),
        "system_prompt": config.model.system_prompt,
        "config_toml": to_toml(config),
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft")},
    }


def test_evaluation(run: Path, step: str) -> dict[str, Any] | None:
    """What `recipes.evaluate` found on the test split, if it looked at this very checkpoint."""
    folder = run / "evaluation" / "test"
    if not (folder / METRICS_FILE).is_file():
        return None
    report = read_report(folder)
    return report if report["model"] == f"{run.name}, {step}" else None


def template_path() -> Path:
    """The template beside a checkout, or inside the installed package."""
    root = Path(__file__).parents[2]
    for folder in (root / "hub_cards", root / "aramega" / "hub_cards"):
        if (folder / "model.md.j2").is_file():
            return folder / "model.md.j2"
    raise RecipeError(f"hub_cards/model.md.j2 is not beside {root}: install aramega again, or run from a checkout.")
