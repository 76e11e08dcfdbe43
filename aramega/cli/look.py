"""`aramega status`, `report`, `export`, `preview`, `init`: look at a workspace, and start one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import USUAL
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.config import Config
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")]


def show_version(wanted: bool) -> None:
    if wanted:
        from aramega.version import __version__

        print(f"aramega {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=show_version)
    ] = False,
) -> None:
    """What `aramega` itself takes, before any command."""


def status(
    workspace: Folder = USUAL,
    as_json: Annotated[
        bool, typer.Option("--json", help="As one JSON object, with the pace; with --watch, one a line.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, with the pace, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option("--interval", min=0.1, metavar="S", help="Seconds between looks.")] = 2.0,
) -> None:
    """What is done, what is left, what failed and why."""
    from aramega.cli.watch import watch_as_json, watch_live
    from aramega.monitor.status import render_status
    from aramega.monitor.status import status as ask
    from aramega.monitor.watch import look
    from aramega.pipeline import Pipeline

    place, store, config = _open(workspace)
    with store:
        if watch:
            (watch_as_json if as_json else watch_live)(place, interval)
        elif as_json:
            print(json.dumps(look(store, place).to_dict(), ensure_ascii=False, indent=1))
        else:
            print(render_status(ask(store, Pipeline.from_config(config, place))))


def report(workspace: Folder = USUAL) -> None:
    """Write report.html: one page that works offline, with everything to see and hear of a build."""
    from aramega.pipeline import Pipeline
    from aramega.report import write_report

    place, store, config = _open(workspace)
    with store:
        print(write_report(store, Pipeline.from_config(config, place)))


def export(
    workspace: Folder = USUAL,
    *,
    format: Annotated[
        str, typer.Option("--format", "-f", help="jsonl, rttm, textgrid, srt, audacity, lhotse or nemo.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to; default: DIR/export/FORMAT/.")] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="What a line is: passages or segments; default: what suits the format.")
    ] = None,
) -> None:
    """Write segments and passages as the manifests that other tools read."""
    from aramega.cli.home import at_home
    from aramega.export import export as write

    place, store, config = _open(workspace)
    at_home(place, store)
    with store:
        _say_if_unfinished(place, store, config)
        for path in write(store, place, format, out or place.root / "export" / format, unit=unit):
            print(path)


def preview(
    workspace: Folder = USUAL,
    format: Annotated[str, typer.Option("--format", "-f", help="mp3, which plays everywhere, or ogg (Opus).")] = "mp3",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to; default: DIR/previews/.")] = None,
) -> None:
    """Make a small copy of every clip, for browsers and mail."""
    from aramega.audio.clips import PreviewFormat
    from aramega.cli.build import cores
    from aramega.cli.home import at_home
    from aramega.export.previews import write_previews

    if format not in {"mp3", "ogg"}:
        raise AramegaError(f"--format {format}: previews are mp3 or ogg.")
    place, store, config = _open(workspace)
    at_home(place, store)
    kind: PreviewFormat = "ogg" if format == "ogg" else "mp3"
    folder = out or place.root / "previews"
    with store:
        _say_if_unfinished(place, store, config)
        made = len(list(write_previews(store, place, folder, kind, workers=cores())))
    print(f"{made} previews in {folder}")


def init(workspace: Folder) -> None:
    """Make a folder with an aramega.toml that holds every option, its default and its reason."""
    from aramega.config import Config, dump_toml

    path = workspace / "aramega.toml"
    if path.exists():
        raise AramegaError(f"{path} is there already. Delete it first to start from the defaults.")
    workspace.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_toml(Config()), encoding="utf-8")
    print(path)
    print(f"Edit it, then: aramega build-ssum SOURCE… --workspace {workspace}", file=sys.stderr)


def _say_if_unfinished(place: WorkspaceFolder, store: Store, config: Config) -> None:
    """What is not up to date with the configuration is shown as it was; that should surprise nobody."""
    from aramega.pipeline import Pipeline
    from aramega.pipeline.build import count_pending

    left = {s: number for s, number in count_pending(store, Pipeline.from_config(config, place)).items() if number}
    if left:
        what = ", ".join(f"{stage}: {number}" for stage, number in left.items())
        print(
            f"aramega: not all is built ({what} to do). `aramega build-ssum -w {place.root}` goes on.", file=sys.stderr
        )


def _open(folder: Path) -> tuple[WorkspaceFolder, Store, Config]:
    """A workspace for looking at, with the configuration it was last built with."""
    from aramega.config import choose_config
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(folder.absolute())
    store = Store.open(place)
    return place, store, choose_config(None, place.config)
