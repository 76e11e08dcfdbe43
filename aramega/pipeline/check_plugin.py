"""Checking a plugin: over a small workspace, killed, resumed and repeated, with the same results each time.

What a plugin gives must depend on nothing but its items, its options and its version, or a result that is kept would
be another than one that is made. So we build the sample three times: as it is; once more from nothing; and
killed right after the stage's first result, then resumed. The kill is a real one, of a process of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aramega.config import Config
from aramega.engine.local import LocalEngine
from aramega.errors import AramegaError
from aramega.pipeline.build import add_sources, building, run_build
from aramega.pipeline.pipeline import Pipeline
from aramega.plugins import KINDS, Plugin, find_plugins
from aramega.sample import BROADCAST
from aramega.sources import find_sources
from aramega.store import Store
from aramega.store.extras import list_extras
from aramega.store.results import list_failures, tally_results
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


def check_plugin(name: str, config: Config) -> Iterator[PluginCheck]:
    """Try all that the plugins of that name should hold to; `config` says how the sample is drafted, and holds a
    stage's options."""
    for plugin in plugins_named(name):
        try:
            plugin.load()
        except AramegaError as error:
            yield PluginCheck(f"{plugin.kind[:-1]} can be imported", False, str(error))
            return
        yield PluginCheck(f"{plugin.kind[:-1]} can be imported", True, plugin.distribution)
        if plugin.kind == "stages":
            yield from _check_stage(plugin.name, _asking_for(plugin.name, config))


def _asking_for(stage: str, config: Config) -> Config:
    """The configuration with a table for the stage, where it has none."""
    tables = {stage: {}, **config.plugins.tables()}
    return Config.model_validate({**config.model_dump(), "plugins": tables})


def _check_stage(name: str, config: Config) -> Iterator[PluginCheck]:
    with TemporaryDirectory(prefix="aramega-plugin-") as scratch:
        first, again, killed = (WorkspaceFolder(Path(scratch) / part) for part in ("first", "again", "killed"))
        pipeline = Pipeline.from_config(config, first, until=name)
        pipeline.check()
        _build(pipeline)
        with Store.open(first) as store:
            done = int(tally_results(store, pipeline.marks[name])["done"])
            failures = list_failures(store, [pipeline.marks[name]])
        yield PluginCheck("it does its items", bool(done) and not failures, _counted(done, failures))
        expected = _extras(first, name)
        _build(Pipeline.from_config(config, again, until=name))
        yield PluginCheck(
            "made again from nothing, its results are the same", *_compare(expected, _extras(again, name))
        )
        signalled = _build_and_kill(config, killed, name)
        part = len(_extras(killed, name))
        yield PluginCheck("killed after its first result", signalled and bool(part), f"{part} of {done} were kept")
        _build(Pipeline.from_config(config, killed, until=name))
        yield PluginCheck("resumed, its results are the same", *_compare(expected, _extras(killed, name)))


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


def _compare(expected: dict[str, Any], extras: dict[str, Any]) -> tuple[bool, str]:
    if extras == expected:
        return True, f"{len(expected)} items"
    item = next(item for item in sorted({*expected, *extras}) if expected.get(item) != extras.get(item))
    return False, f"{item}: {expected.get(item)} and {extras.get(item)}"


def _counted(done: int, failures: list[Any]) -> str:
    first = f"; {len(failures)} failed, the first: {failures[0].error}" if failures else ""
    return f"{done} items{first or ('' if done else '; a stage with nothing to do shows nothing')}"
