"""The page in the browser to search, listen and compare: served on this machine, or written as one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aramega.desk import ExplorerServer, Index, Library, indexed, open_for_others, open_library, write_alone
from aramega.desk.alone import Written
from aramega.errors import AramegaError


def write_browser_page(folder: Path, out: Path, *, sound_mb: float, on_read: Callable[[int], None]) -> Written:
    """One HTML file for a small set, without what annotators wrote for their team and without their names."""
    library = open_for_others(folder)
    with _indexed(library, folder, on_read) as index:
        return write_alone(library, index, out, sound_mb=sound_mb)


@contextmanager
def browser_server(folder: Path, *, port: int, on_read: Callable[[int], None]) -> Iterator[tuple[ExplorerServer, int]]:
    """A server on this machine alone, and how many passages it shows."""
    library = open_library(folder)
    with _indexed(library, folder, on_read) as index, ExplorerServer(library, index, port) as server:
        yield server, index.count()


@contextmanager
def _indexed(library: Library, folder: Path, on_read: Callable[[int], None]) -> Iterator[Index]:
    try:
        with indexed(library, on_read) as index:
            yield index
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise AramegaError(
            f"{folder}: published sets are read with pyarrow: pip install '.[publish]' in aramega's clone."
        ) from None
