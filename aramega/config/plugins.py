"""Options of plugins' stages: a table for each, which also says that it is to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, model_validator
from typing_extensions import Self

from aramega.config.base import Options


class PluginsConfig(Options):
    """Plugins' stages: `[plugins.NAME]` runs the stage NAME, with the options in that table."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="after")
    def _one_table_each(self) -> Self:
        for name, table in self.tables().items():
            if not isinstance(table, dict):
                raise ValueError(f"{name} is {table!r}: give each plugin a table, [plugins.{name}]")
        return self

    def tables(self) -> Mapping[str, dict[str, Any]]:
        """By plugin, in the order of the file; what is in a table the plugin's own options say."""
        return self.model_extra or {}
