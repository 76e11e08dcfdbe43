"""Options of the engines: how many workers a stage with workers of its own gets, and what each may use."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from aramega.config.base import Options


class EngineConfig(Options):
    """Where stages run. Nothing here changes results."""

    actors: tuple[str, ...] = Field(
        (),
        description='On a Ray cluster, workers of a stage that has its own: ["transcribe=8"]. Others share --workers.',
    )
    gpus: tuple[str, ...] = Field(
        (),
        description='On a Ray cluster, what each of them takes of a GPU: ["transcribe=0.5", "label=0.25"]. Default: none.',
    )

    @field_validator("actors", "gpus")
    @classmethod
    def _stages_have_numbers(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            name, _, number = value.partition("=")
            try:
                good = bool(name.strip()) and float(number) >= 0
            except ValueError:
                good = False
            if not good:
                raise ValueError(f"give a stage and a number, such as transcribe=2; {value!r} is neither")
        return values

    def actors_of(self, stage: str) -> int:
        """0 where nothing is said of the stage."""
        return int(_number(self.actors, stage))

    def gpus_of(self, stage: str) -> float:
        return _number(self.gpus, stage)

    def deciding(self) -> dict[str, Any]:
        return {}


def _number(values: tuple[str, ...], stage: str) -> float:
    numbers = dict(value.replace(" ", "").split("=", 1) for value in values)
    return float(numbers.get(stage, 0))
