"""What a plugin's stage is: a stage that says values of a passage or a recording.

    class Laughter(PluginStage[DraftedPassage]):
        name, version, takes, after = "laughter", 1, Takes.PASSAGE, ("transcribe",)
        options: LaughterOptions

        def values(self, item: DraftedPassage) -> dict[str, Any]:
            return {"laughs": item.draft.transcript.text.count("هههه")}

They go into the table `extras`, where rules may ask about them through a Fact. A plugin makes none of our own records.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aramega.config import Options
from aramega.errors import AramegaError
from aramega.plugins import Plugin
from aramega.records import Extra
from aramega.stages.base import Item, Stage, Takes
from aramega.workspace import WorkspaceFolder


class PluginStage(Stage[Item]):
    """One step of the build that another distribution adds."""

    makes = (Extra,)
    counts = "note"
    table = "extras"

    @abstractmethod
    def values(self, item: Item) -> Mapping[str, Any]:
        """What it says of an item: anything that JSON can hold, by name. Raise for an item that cannot be done."""

    def run(self, item: Item) -> Sequence[Extra]:
        values = self.values(item)
        try:
            json.dumps(dict(values), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise AramegaError(f"{self.name} gave what JSON can't hold: {error}.") from None
        return [Extra(values)]


def make_plugin_stage(plugin: Plugin, table: Mapping[str, Any], workspace: WorkspaceFolder) -> PluginStage[Any]:
    """The stage that a plugin's entry point names, with its table of the configuration; raises for what is wrong with
    either."""
    kind = plugin.load()
    if not (isinstance(kind, type) and issubclass(kind, PluginStage)):
        raise AramegaError(f"{_of(plugin)}: {plugin.target} is no PluginStage.")
    if kind.name != plugin.name:
        raise AramegaError(f"{_of(plugin)}: its stage calls itself {kind.name}. Both must have one name.")
    if kind.makes != (Extra,) or kind.takes is Takes.SOURCE or not kind.after:
        raise AramegaError(f"{_of(plugin)}: a plugin takes passages or recordings, after a stage, and makes extras.")
    return kind(_options(plugin, kind, table), workspace)


def _options(plugin: Plugin, kind: type[PluginStage[Any]], table: Mapping[str, Any]) -> Options:
    options: type[Options] = get_type_hints(kind)["options"]
    try:
        return options.model_validate(dict(table))
    except ValidationError as error:
        wrong = "; ".join(_explain(detail) for detail in error.errors())
        option_names = ", ".join(options.model_fields) or "none"
        raise AramegaError(f"[plugins.{plugin.name}] {wrong}. Its options: {option_names}.") from None


def _explain(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    return f"unknown key `{key}`" if detail["type"] == "extra_forbidden" else f"`{key}`: {detail['msg'].lower()}"


def _of(plugin: Plugin) -> str:
    return f"plugin {plugin.name} ({plugin.distribution})"
