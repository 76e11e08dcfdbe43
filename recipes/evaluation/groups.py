"""What examples have in common: their recording or their speaker, by which they are resampled together.

Passages of one recording share a voice, a channel and a topic, so a model that fails at one fails at the next. Intervals
that take them for independent are too narrow: with forty recordings of 25 passages, by far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recipes.evaluation.predictions import Prediction

UNITS = ("recording", "speaker")


@dataclass(frozen=True)
class Groups:
    """What the examples are grouped by (recording, speaker or example), and each example's group."""

    unit: str
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(set(self.names))


def groups_of(predictions: Sequence[Prediction]) -> Groups:
    """The groups of the unit that most examples know; of two alike the coarser. An example without is a group of its own."""
    by_unit = {unit: [getattr(row, unit) for row in predictions] for unit in UNITS}
    filled = {unit: sum(map(bool, names)) for unit, names in by_unit.items()}
    unit = max(UNITS, key=lambda unit: (filled[unit], -len(set(by_unit[unit]))))
    if not filled[unit]:
        return Groups("example", tuple(row.example for row in predictions))
    own = [f"\0{row.example}" for row in predictions]  # no recording's name begins like this
    return Groups(unit, tuple(name or alone for name, alone in zip(by_unit[unit], own, strict=True)))


def counted(count: int, unit: str) -> str:
    """`40 recordings`, `1 speaker`."""
    return f"{count} {unit}{'' if count == 1 else 's'}"
