"""`aramega browse`: search a workspace or a published set in the browser, listen, and see what was changed."""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.command import command
from aramega.cli.options import AsJson
from aramega.cli.output import note, print_json

if TYPE_CHECKING:
    from aramega.desk import ExplorerServer


@command("browse", panel="Look", example="aramega browse news", workspace="no")
def browse(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="A workspace, or a folder that was published to; default: as for -w.",
            show_default=False,
        ),
    ] = None,
    workspace: Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="The same as DIR.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", "--to", help="Write one HTML file for a small set, and serve nothing."),
    ] = None,
    sound_mb: Annotated[
        float, typer.Option("--sound-mb", min=0, help="With --out: megabytes of sound that go into the file.")
    ] = 40.0,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
    as_json: AsJson = False,
) -> None:
    """Search the texts, listen, and compare drafts with what people made of them, on a page of this machine only."""
    from aramega.api.browsing import browser_server
    from aramega.api.locate import find_workspace

    source = folder or workspace or find_workspace()
    if out is not None:
        _write(source, out, sound_mb, as_json=as_json)
        return
    with browser_server(source, port=port, on_read=_show_progress) as (server, passages):
        _show_address(server, passages, as_json=as_json)
        _serve(server, no_open=no_open or as_json)


def _write(folder: Path, out: Path, sound_mb: float, *, as_json: bool) -> None:
    from aramega.api.browsing import write_browser_page

    written = write_browser_page(folder, out, sound_mb=sound_mb, on_read=_show_progress)
    if as_json:
        print_json({"file": out, **asdict(written)})
        return
    print(out)
    if written.silent:
        without = written.passages - written.with_sound
        note(f"{without} of {written.passages} passages have no sound there. {written.silent[0]}")


def _show_address(server: ExplorerServer, passages: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"address": server.address, "passages": passages}, indent=None)
    else:
        print(server.address, flush=True)
    note(f"{passages:,} passages, as they are now. Ctrl-C ends it.")


def _serve(server: ExplorerServer, *, no_open: bool) -> None:
    import webbrowser

    # The index is a temporary file: a request to end must let it be removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not no_open:
        webbrowser.open(server.address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        note("ended.")


def _show_progress(passages: int) -> None:
    if sys.stderr.isatty():
        print(f"\raramega: {passages:,} passages read", end="", file=sys.stderr, flush=True)
