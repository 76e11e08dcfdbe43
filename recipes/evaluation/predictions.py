"""Predictions: what a model answered to every example, one JSON object a line.

The example's name (task, dataset, row) is what pairs two models' answers; everything else on a line is what slices
need. Training writes the same lines at each of its evaluations, so both are read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from recipes.errors import RecipeError
from recipes.tasks.base import scored_as


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer, with what pairs it with another model's and what slices need."""

    task: str
    example: str
    answer: str
    reference: str
    label: str = ""
    dialect: str | None = None
    seconds: float = 0.0
    snr_db: float | None = None
    modality: str = "speech"
    language: str = "ar"
    recording: str = ""
    """With the dataset's name before it, as the speaker: two datasets number theirs alike."""
    speaker: str = ""

    @property
    def scored_as(self) -> str:
        return scored_as(self.task, self.modality)


_MODALITY = re.compile(r"[^/+]+\+(?P<modality>text|foreign)/")
_FIELDS = tuple(field.name for field in fields(Prediction))


def from_mapping(values: Mapping[str, Any]) -> Prediction:
    """A line of training's or of ours; what it knows beyond our fields is left out."""
    facts = {name: values[name] for name in _FIELDS if name in values}
    if "modality" not in facts and (named := _MODALITY.match(str(values.get("example")))):
        facts["modality"] = named["modality"]  # in older files the example's name alone says it
    return Prediction(**facts)


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(prediction), ensure_ascii=False) + "\n" for prediction in predictions)
    temporary.replace(path)


def read_predictions(path: Path) -> list[Prediction]:
    """Read a file of predictions; a line that holds none is an error that names the line."""
    predictions: list[Prediction] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            predictions.append(from_mapping(json.loads(line)))
        except (ValueError, TypeError) as error:
            raise RecipeError(f"{path}, line {number}: no prediction ({error}). Evaluate the run again.") from None
    return predictions


def by_task(predictions: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    """Group by what is scored together: a task as it is heard (`dialect`), read (`dialect+text`) or foreign (`asr+foreign`)."""
    tasks: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        tasks.setdefault(prediction.scored_as, []).append(prediction)
    return tasks


def by_example(predictions: Iterable[Prediction]) -> dict[str, Prediction]:
    """Predictions by the name of their example; two of the same name are an error."""
    named: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.example in named:
            raise RecipeError(
                f"{prediction.example}: two predictions have this name, so they can't be paired with another run's. "
                "They are of an older version: evaluate the run again."
            )
        named[prediction.example] = prediction
    return named


def paired(first: Sequence[Prediction], second: Sequence[Prediction]) -> tuple[list[Prediction], list[Prediction]]:
    """Both runs' predictions for the examples that both answered, in the same order. References must agree."""
    others = by_example(second)
    both = [(mine, others[name]) for name, mine in by_example(first).items() if name in others]
    for mine, theirs in both:
        if mine.reference != theirs.reference:
            raise RecipeError(
                f"{mine.example}: the two runs have different references ({mine.reference!r}, {theirs.reference!r}). "
                "They were evaluated on different versions of the dataset: evaluate both again."
            )
    return [mine for mine, _ in both], [theirs for _, theirs in both]
