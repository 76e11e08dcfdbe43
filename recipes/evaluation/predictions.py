"""Predictions: what a model answered to every example, one JSON object a line.

The example's name (task, dataset, row) is what pairs two models' answers; everything else on a line is what
slices need. Training writes the same lines for its own looks at a model, so both are read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from recipes.errors import RecipeError


@dataclass(frozen=True, slots=True)
class Prediction:
    task: str
    example: str
    answer: str
    reference: str
    label: str = ""
    dialect: str | None = None
    seconds: float = 0.0
    snr_db: float | None = None


_FIELDS = tuple(field.name for field in fields(Prediction))


def from_mapping(values: Mapping[str, Any]) -> Prediction:
    """A line of training's or of ours; what it knows beyond our fields is left out."""
    return Prediction(**{name: values[name] for name in _FIELDS if name in values})


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in predictions)
    temporary.replace(path)


def read_predictions(path: Path) -> list[Prediction]:
    found: list[Prediction] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(from_mapping(json.loads(line)))
        except (ValueError, TypeError) as error:
            raise RecipeError(f"{path}, line {number}: no prediction ({error}). Evaluate the run again.") from None
    return found


def by_task(predictions: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    tasks: dict[str, list[Prediction]] = {}
    for one in predictions:
        tasks.setdefault(one.task, []).append(one)
    return tasks


def paired(first: Sequence[Prediction], second: Sequence[Prediction]) -> tuple[list[Prediction], list[Prediction]]:
    """The predictions of both that answer the same example, in one order. References must agree."""
    others = {one.example: one for one in second}
    both = [(one, others[one.example]) for one in first if one.example in others]
    for one, other in both:
        if one.reference != other.reference:
            raise RecipeError(
                f"{one.example}: the two runs have different references ({one.reference!r}, {other.reference!r}). "
                "They were evaluated on different versions of the dataset: evaluate both again."
            )
    return [one for one, _ in both], [other for _, other in both]
