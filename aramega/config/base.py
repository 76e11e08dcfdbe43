"""What every stage's options share: frozen, and no unknown keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.config import JsonDict

from aramega.display import visible

CHANGES_NOTHING: JsonDict = {"changes_results": False}
"""Given to a field as `json_schema_extra`: an option that decides whether an item can be done, not what comes of it."""


class Options(BaseModel):
    """A section of the configuration. Each field's description is its help, in the CLI, the TOML and the docs."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _files_can_hold_it(cls, value: Any) -> Any:
        """Python has longer integers than JSON, SQLite and TOML can write, and an argument's bytes that are no UTF-8."""
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, int) and abs(item) >= 1 << 63:
                raise ValueError("an integer of more than 64 bits")
            if isinstance(item, str) and item != item.encode("utf-8", "replace").decode():
                raise ValueError(f"{visible(item)} is not UTF-8, and a configuration is")
        return value

    def deciding(self) -> dict[str, Any]:
        """The options that results depend on. Those marked otherwise may change and nothing is done again."""
        free = {k for k, info in type(self).model_fields.items() if info.json_schema_extra == CHANGES_NOTHING}
        return self.model_dump(mode="json", exclude=free)
