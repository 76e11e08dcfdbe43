"""Plugins: what other distributions add by entry points, and what we add ourselves in the same way.

    [project.entry-points."aramega.stages"]      a Stage: reads items, writes values into the table `extras`
    [project.entry-points."aramega.facts"]       a Fact: a number that check rules may ask about
    [project.entry-points."aramega.recognizers"] called with TranscribeConfig, gives a Recognizer
    [project.entry-points."aramega.summarizers"] called with SummarizeConfig, gives a ChatModel
    [project.entry-points."aramega.exports"]     a Format

Finding one reads metadata and imports nothing; an installed plugin that nobody names is never imported, so that a
broken one harms only those who asked for it. Its distribution and version go into the fingerprint of what it makes.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from aramega.display import visible
from aramega.errors import AramegaError

Kind = Literal["stages", "facts", "recognizers", "summarizers", "exports"]
KINDS: tuple[Kind, ...] = ("stages", "facts", "recognizers", "summarizers", "exports")


@dataclass(frozen=True)
class Plugin:
    """Something that is there by name, and not imported yet."""

    kind: Kind
    name: str
    target: str
    """`module:attribute`."""
    distribution: str = ""
    """What it came with, and its version; empty for our own."""

    def load(self) -> Any:
        """The thing itself; raises one clear line where its module can't be imported."""
        module, _, attribute = self.target.partition(":")
        try:
            thing = importlib.import_module(module)
            for part in attribute.split("."):
                thing = getattr(thing, part)
        except Exception as error:
            why = visible((str(error).splitlines() or [""])[0], 200)
            raise AramegaError(
                f"plugin {self.name} ({self.distribution or 'aramega'}) can't be imported: {type(error).__name__}: {why}. "
                f"Mend or remove it: pip uninstall {self.distribution.partition(' ')[0] or 'aramega'}."
            ) from error
        return thing


@cache
def find_plugins(kind: Kind) -> Mapping[str, Plugin]:
    """The installed plugins of a kind by name, in the names' order."""
    plugins: dict[str, Plugin] = {}
    for entry in sorted(entry_points(group=f"aramega.{kind}"), key=lambda entry: (entry.name, _distribution(entry))):
        plugin = Plugin(kind, entry.name, entry.value, _distribution(entry))
        other = plugins.setdefault(entry.name, plugin)
        if other.distribution != plugin.distribution:
            raise AramegaError(
                f"two plugins call themselves {entry.name}: {other.distribution} and {plugin.distribution}. "
                "Uninstall one of them."
            )
    return plugins


def get_plugin(kind: Kind, name: str, own: Iterable[str] = ()) -> Plugin:
    """The plugin of that name; raises where none is installed, and names the nearest of them and of our `own`."""
    plugins = find_plugins(kind)
    if name in plugins:
        return plugins[name]
    names = [*own, *plugins]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names) or 'none'}."
    raise AramegaError(f"{visible(name)}: no such {kind[:-1]} is installed. {hint}")


@dataclass(frozen=True)
class Fact:
    """A number that check rules may ask about, from what a plugin's stage says of a passage."""

    stage: str
    of: Callable[[Mapping[str, Any]], float | None]
    """The number in the stage's values; None where it is not known, of which no rule holds."""
    help: str


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
