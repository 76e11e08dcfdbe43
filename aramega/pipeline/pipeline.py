"""Pipeline: the stages of a build in their order, with their fingerprints.

Made once from a configuration and a workspace, and passed to whoever asks about stages: the plan and the build, status
and progress, maintenance, drafting one passage anew. Fingerprints are taken when they are first asked for, since they
read prompts and hash models' files; `check` says first, and better, what is wrong with those.

A pipeline holds neither the store nor an engine, and nothing of one build: any number may be made with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from typing_extensions import Self

from aramega.backends.llm.models import summarizer_plugin
from aramega.config import Config
from aramega.config.check import check_facts
from aramega.errors import AramegaError
from aramega.plugins import find_plugins, get_plugin
from aramega.stages.base import Stage
from aramega.stages.names import OUR_STAGES
from aramega.stages.ours import make_stages
from aramega.stages.plugin import PluginStage, make_plugin_stage
from aramega.store import Mark, current_marks
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The stages of a configuration over one workspace."""

    config: Config
    workspace: WorkspaceFolder
    stages: tuple[Stage[Any], ...]
    """All of them, in their order."""
    until: str | None = None
    """The last stage that a build is to run; None for all."""
    problems: tuple[str, ...] = ()
    """What is wrong with plugins that are asked for. They are left out: one can look at a workspace without them, and
    `check` raises before a build begins."""

    @classmethod
    def from_config(cls, config: Config, workspace: WorkspaceFolder, until: str | None = None) -> Self:
        plugins, problems = make_plugin_stages(config, workspace)
        stages = tuple(with_plugins(make_stages(config, workspace), plugins))
        names = [stage.name for stage in stages]
        if until is not None and until not in names:
            raise AramegaError(f"--until {until}: no such stage. The stages are: {', '.join(names)}.")
        return cls(config, workspace, stages, until, problems)

    @property
    def chosen(self) -> tuple[Stage[Any], ...]:
        """The stages that a build is to run."""
        if self.until is None:
            return self.stages
        last = next(i for i, stage in enumerate(self.stages) if stage.name == self.until)
        return self.stages[: last + 1]

    @cached_property
    def marks(self) -> dict[str, Mark]:
        """Each stage's name and fingerprint, of all stages."""
        return current_marks(self.stages)

    def needs(self, stage: Stage[Any]) -> tuple[Mark, list[Mark]]:
        """A stage's own mark, and those of the stages whose results its items must have."""
        return self.marks[stage.name], [self.marks[name] for name in stage.after]

    def check(self) -> None:
        """Raise for what is wrong or missing before anything is written."""
        if self.problems:
            raise AramegaError(self.problems[0])
        check_facts(self.config.check)
        summarizer_plugin(self.config.summarize)
        for stage in self.chosen:
            stage.check()


def make_plugin_stages(config: Config, workspace: WorkspaceFolder) -> tuple[list[PluginStage[Any]], tuple[str, ...]]:
    """The stages of plugins that the configuration has a table for, and what is wrong with the others."""
    stages, problems = [], []
    for name, table in config.plugins.tables().items():
        try:
            stages.append(make_plugin_stage(get_plugin("stages", name), table, workspace))
        except AramegaError as error:
            problems.append(str(error) if name in find_plugins("stages") else f"{error} {_remedy(name)}")
    names = {*OUR_STAGES, *config.plugins.tables()}
    for stage in stages:
        if unknown := set(stage.after) - names:
            problems.append(f"plugin {stage.name} comes after {', '.join(sorted(unknown))}: no such stage.")
    return stages, tuple(problems)


def _remedy(name: str) -> str:
    return f"A build needs it: install the plugin again, or take [plugins.{name}] out of aramega.toml."


def with_plugins(stages: Sequence[Stage[Any]], plugins: Sequence[Stage[Any]]) -> list[Stage[Any]]:
    """Our stages, and behind the last one that it waits for each plugin's. One that waits for a stage that is not
    asked for is left out, as our own are."""
    ordered, waiting = list(stages), list(plugins)
    while ready := [stage for stage in waiting if set(stage.after) <= {other.name for other in ordered}]:
        for stage in ready:
            last = max(i for i, other in enumerate(ordered) if other.name in stage.after)
            ordered.insert(last + 1, stage)
            waiting.remove(stage)
    return ordered
