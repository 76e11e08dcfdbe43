"""Plugins: trying one over the sample broadcast with the toy recognizer, and which formats there are with theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aramega.config import choose_config
from aramega.export import export, format_names
from aramega.pipeline.check_plugin import PluginCheck
from aramega.pipeline.check_plugin import check_plugin as check
from aramega.store import Store
from aramega.workspace import WorkspaceFolder

_TOY = ("transcribe.model=demo", "transcribe.pack=false")


def check_plugin(name: str, settings: Sequence[str] = ()) -> list[PluginCheck]:
    """Build with it, kill the build, resume it, and compare the results; `settings` are `section.key=value`."""
    return list(check(name, choose_config(None, Path("aramega.toml of no workspace"), (*_TOY, *settings)), _export))


def _export(workspace: WorkspaceFolder, format: str) -> dict[str, bytes]:
    """The files of an export, by name."""
    out = workspace.root / "export" / format
    with Store.open(workspace) as store:
        files = export(store, workspace, format, out)
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def export_formats() -> list[str]:
    """Our formats and the plugins'."""
    return list(format_names())
