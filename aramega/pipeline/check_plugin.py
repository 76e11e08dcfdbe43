"""Checking a plugin: over a small workspace, killed, resumed and repeated, with the same results each time.

What a plugin gives must depend on nothing but its items, its options and its version, or a result that is kept would
be another than one that is made. So we build the sample three times: as it is; once more from nothing; and
killed right after the first result of the stage that the plugin has a part in, then resumed. The kill is a real one,
of a process of its own. Compared is what the plugin gave: a stage's values, a fact's numbers, transcripts, summaries,
or an export's files.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aramega.config import Config, change_config
from aramega.engine.local import LocalEngine
from aramega.errors import AramegaError
from aramega.pipeline.build import add_sources, building, run_build
from aramega.pipeline.pipeline import Pipeline
from aramega.plugins import KINDS, Fact, Plugin, find_plugins
from aramega.sample import BROADCAST
from aramega.sources import find_sources
from aramega.stages.names import SUMMARIZE, TRANSCRIBE
from aramega.store import Store
from aramega.store.extras import list_extras
from aramega.store.plugin_facts import list_fact_values, measure
from aramega.store.results import list_failures, list_rows, tally_results
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True)
class PluginCheck:
    """One thing that was tried, and what came of it."""

    what: str
    good: bool
    why: str


def plugins_named(name: str) -> list[Plugin]:
    """Whatever is installed under that name; raises where nothing is."""
    plugins = [plugin for kind in KINDS if (plugin := find_plugins(kind).get(name))]
    if not plugins:
        installed = sorted({other for kind in KINDS for other in find_plugins(kind)})
        raise AramegaError(f"{name}: no such plugin is installed. There are: {', '.join(installed) or 'none'}.")
    return plugins


Exporter = Callable[[WorkspaceFolder, str], Mapping[str, bytes]]
"""Gives the files of a workspace's export in a format, by name."""


def check_plugin(name: str, config: Config, exporter: Exporter) -> Iterator[PluginCheck]:
    """Try all that the plugins of that name should hold to; `config` says how the sample is drafted, and holds a
    stage's options."""
    for plugin in plugins_named(name):
        try:
            plugin.load()
        except AramegaError as error:
            yield PluginCheck(f"{plugin.kind[:-1]} can be imported", False, str(error))
            return
        yield PluginCheck(f"{plugin.kind[:-1]} can be imported", True, plugin.distribution)
        yield from _try(make_trial(plugin, config, exporter))


@dataclass(frozen=True)
class Trial:
    """How a plugin is tried."""

    config: Config
    """It asks for the plugin."""
    stage: str
    """The stage that the plugin has a part in: the build is killed after its first result."""
    look: Callable[[WorkspaceFolder], Mapping[str, Any]]
    """What the plugin gave in a workspace, by item."""


def make_trial(plugin: Plugin, config: Config, exporter: Exporter) -> Trial:
    """How a plugin of that kind is tried."""
    if plugin.kind == "stages":
        return Trial(_asking_for(plugin.name, config), plugin.name, lambda folder: _extras(folder, plugin.name))
    if plugin.kind == "facts":
        fact: Fact = plugin.load()
        return Trial(_asking_for(fact.stage, config), fact.stage, lambda folder: _numbers(folder, plugin, fact))
    if plugin.kind == "exports":
        return Trial(config, TRANSCRIBE, lambda folder: exporter(folder, plugin.name))
    stage, option = (TRANSCRIBE, "model") if plugin.kind == "recognizers" else (SUMMARIZE, "backend")
    asks = str(getattr(getattr(config, stage), option)).partition(":")[0] == plugin.name
    asking = config if asks else change_config(config, {f"{stage}.{option}": plugin.name})
    return Trial(asking, stage, lambda folder: _rows(folder, stage, asking))


def _asking_for(stage: str, config: Config) -> Config:
    """The configuration with a table for the stage, where it has none."""
    tables = {stage: {}, **config.plugins.tables()}
    return Config.model_validate({**config.model_dump(), "plugins": tables})


def _try(trial: Trial) -> Iterator[PluginCheck]:
    config, stage, look = trial.config, trial.stage, trial.look
    with TemporaryDirectory(prefix="aramega-plugin-") as scratch:
        first, again, killed = (WorkspaceFolder(Path(scratch) / part) for part in ("first", "again", "killed"))
        pipeline = Pipeline.from_config(config, first, until=stage)
        pipeline.check()
        _build(pipeline)
        with Store.open(first) as store:
            done = int(tally_results(store, pipeline.marks[stage])["done"])
            failures = list_failures(store, [pipeline.marks[stage]])
        yield PluginCheck("it does its items", bool(done) and not failures, _counted(done, failures))
        expected = look(first)
        _build(Pipeline.from_config(config, again, until=stage))
        yield PluginCheck("made again from nothing, its results are the same", *_compare(expected, look(again)))
        signalled = _build_and_kill(config, killed, stage)
        with Store.open(killed) as store:
            part = int(tally_results(store, pipeline.marks[stage])["done"])
        yield PluginCheck("killed after its first result", signalled and bool(part), f"{part} of {done} were kept")
        _build(Pipeline.from_config(config, killed, until=stage))
        yield PluginCheck("resumed, its results are the same", *_compare(expected, look(killed)))


def _build(pipeline: Pipeline, die_after: str = "") -> None:
    """Build the sample; with `die_after`, die of a SIGKILL once that stage's first result is committed."""
    with _alone(pipeline.workspace) as store:
        add_sources(
            store, pipeline, [str(BROADCAST)], find_sources([str(BROADCAST)], pipeline.config.ingest.extensions)
        )
        for news in run_build(store, pipeline, LocalEngine(2)):
            if any(progress.stage == die_after for progress in news):
                os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _alone(workspace: WorkspaceFolder) -> Iterator[Store]:
    with building(workspace), Store.create_or_open(workspace) as store:
        yield store


def _build_and_kill(config: Config, workspace: WorkspaceFolder, stage: str) -> bool:
    """Whether the build died of the signal."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import begin; begin(*sys.argv[1:])"
    command = [sys.executable, "-c", code, config.model_dump_json(), str(workspace.root), stage]
    return subprocess.run(command, check=False).returncode == -signal.SIGKILL


def begin(config: str, root: str, stage: str) -> None:
    """Where the process that is to be killed begins."""
    workspace = WorkspaceFolder(Path(root))
    _build(Pipeline.from_config(Config.model_validate_json(config), workspace, until=stage), die_after=stage)


def _extras(workspace: WorkspaceFolder, stage: str) -> dict[str, Any]:
    with Store.open(workspace) as store:
        return dict(list_extras(store, stage))


def _numbers(workspace: WorkspaceFolder, plugin: Plugin, fact: Fact) -> dict[str, Any]:
    with Store.open(workspace) as store:
        values = list(list_fact_values(store, fact.stage))
    return {passage: measure(plugin, fact, passage, of_passage) for passage, of_passage in values}


def _rows(workspace: WorkspaceFolder, stage: str, config: Config) -> dict[str, Any]:
    table = next(s.table for s in Pipeline.from_config(config, workspace).stages if s.name == stage)
    with Store.open(workspace) as store:
        return {str(row[0]): row for row in list_rows(store, table)}


def _compare(expected: Mapping[str, Any], extras: Mapping[str, Any]) -> tuple[bool, str]:
    if extras == expected:
        return True, f"{len(expected)} items"
    item = next(item for item in sorted({*expected, *extras}) if expected.get(item) != extras.get(item))
    return False, f"{item}: {expected.get(item)} and {extras.get(item)}"


def _counted(done: int, failures: list[Any]) -> str:
    first = f"; {len(failures)} failed, the first: {failures[0].error}" if failures else ""
    return f"{done} items{first or ('' if done else '; a stage with nothing to do shows nothing')}"
