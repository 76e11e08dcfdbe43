"""`aramega browse`: search a workspace or a published set in the browser, listen, and see what was changed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.desk import Index, Library


def browse(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A workspace, or a folder that was published to.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="Write one HTML file for a small set, and serve nothing.")
    ] = None,
    sound_mb: Annotated[
        float, typer.Option("--sound-mb", min=0, help="With --to: megabytes of sound that go into the file.")
    ] = 40.0,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only print the address.")] = False,
) -> None:
    """Search the texts, listen, and compare drafts with what people made of them, on a page of this machine only."""
    from aramega.desk import indexed, open_for_others, open_library

    library = open_library(folder) if to is None else open_for_others(folder)
    try:
        with indexed(library, _say_progress) as index:
            if to is not None:
                _write(library, index, to, sound_mb)
            else:
                _serve(library, index, port, no_open)
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise AramegaError(
            f"{folder}: published sets are read with pyarrow: pip install '.[publish]' in aramega's clone."
        ) from None


def _write(library: Library, index: Index, path: Path, sound_mb: float) -> None:
    from aramega.desk import write_alone

    written = write_alone(library, index, path, sound_mb=sound_mb)
    print(path)
    if written.silent:
        without = written.passages - written.with_sound
        print(
            f"aramega: {without} of {written.passages} passages have no sound there. {written.silent[0]}",
            file=sys.stderr,
        )


def _serve(library: Library, index: Index, port: int, no_open: bool) -> None:
    import webbrowser

    from aramega.desk import ExplorerServer

    with ExplorerServer(library, index, port) as server:
        print(server.address, flush=True)
        print(f"aramega: {index.count():,} passages, as they are now. Ctrl-C ends it.", file=sys.stderr)
        # The index is a temporary file: a request to end must let it be removed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if not no_open:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("aramega: ended.", file=sys.stderr)


def _say_progress(passages: int) -> None:
    if sys.stderr.isatty():
        print(f"\raramega: {passages:,} passages read", end="", file=sys.stderr, flush=True)
