"""`aramega status`, `report`, `export`, `preview`, `init`: look at a workspace, and start one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aramega.cli.command import command
from aramega.cli.options import AsJson, Out

if TYPE_CHECKING:
    from aramega.api import Workspace


def _complete_format(begun: str) -> list[str]:
    """Our formats and the plugins' that begin so; which there are is known only when somebody asks."""
    from aramega.api.plugins import export_formats

    return [name for name in export_formats() if name.startswith(begun)]


Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="What the other tool reads: jsonl, rttm, textgrid, srt, audacity, lhotse, nemo, or a plugin's.",
        autocompletion=_complete_format,
    ),
]


@command("init", panel="Build", example="aramega init news", workspace="no")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; made if missing.")],
    as_json: AsJson = False,
) -> None:
    """Make a folder with an aramega.toml that holds every option, its default and its reason."""
    from aramega import create
    from aramega.cli.output import note, print_json

    config = create(folder).folder.config
    print_json({"config": config}) if as_json else print(config)
    note(f"edit it, then: aramega build-ssum SOURCE… --workspace {folder}")


@command("status", panel="Look", example="aramega status news --watch")
def status(
    workspace: Workspace,
    as_json: Annotated[
        bool, typer.Option("--json", help="As one JSON object, with the pace; with --watch, one a line.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, with the pace, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option("--interval", min=0.1, metavar="S", help="Seconds between looks.")] = 2.0,
) -> None:
    """What is done, what is left, what failed and why."""
    from aramega.cli.output import print_json
    from aramega.cli.watch import show_status, watch_as_json, watch_live

    workspace.existing()
    if watch:
        (watch_as_json if as_json else watch_live)(workspace.watch(interval))
    elif as_json:
        print_json(workspace.look().to_dict())
    else:
        show_status(workspace.status())


@command("report", panel="Look", example="aramega report news")
def report(workspace: Workspace, as_json: AsJson = False) -> None:
    """Write report.html: one page that works offline, with everything to see and hear of a build."""
    from aramega.cli.output import print_json

    page = workspace.report()
    print_json({"page": page}) if as_json else print(page)


@command("export", panel="Look", example="aramega export news --format lhotse")
def export(
    workspace: Workspace,
    *,
    format: Format,
    out: Out = None,
    unit: Annotated[
        Literal["passages", "segments"] | None,
        typer.Option("--unit", help="What a line is; default: what suits the format."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write segments and passages as the manifests that other tools read; default: into DIR/export/FORMAT/."""
    from aramega.cli.output import print_json

    files = workspace.export(format, out, unit=unit)
    print_json({"files": files}) if as_json else print(*files, sep="\n")


@command("preview", panel="Look", example="aramega preview news --format ogg")
def preview(
    workspace: Workspace,
    format: Annotated[
        Literal["mp3", "ogg"], typer.Option("--format", "-f", help="mp3, which plays everywhere, or ogg (Opus).")
    ] = "mp3",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Make a small copy of every clip, for browsers and mail; default: in DIR/previews/."""
    from aramega.cli.output import print_json

    previews, folder = workspace.write_previews(format, out), out or workspace.path / "previews"
    if as_json:
        print_json({"folder": folder, "previews": len(previews)})
    else:
        print(f"{len(previews)} previews in {folder}")
