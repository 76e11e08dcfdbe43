"""The desk: a local page to search a set, listen to it, and see what people changed of the drafts.

In order: a library (`workspace`, `published`) gives entries; `index` takes them in once and answers a `query`;
`shown` makes what the page is sent, with a word diff of the texts; `server` gives it out on the loopback, or `alone`
writes it all into one file. `page` and the scripts beside it are what is looked at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aramega.desk.alone import write_alone
from aramega.desk.entries import Library
from aramega.desk.index import Index, Say, build_index
from aramega.desk.published import PublishedLibrary
from aramega.desk.server import ExplorerServer
from aramega.desk.workspace import WorkspaceLibrary
from aramega.publish.anonymous import pseudonyms_of
from aramega.records import AramegaError
from aramega.workspace import WorkspaceFolder

__all__ = ["ExplorerServer", "Index", "Library", "indexed", "open_for_others", "open_library", "write_alone"]


def open_library(folder: Path) -> Library:
    """The workspace or the published set in a folder, with all that this machine's user may see."""
    workspace = WorkspaceFolder(folder.absolute())
    return WorkspaceLibrary(workspace) if workspace.database.exists() else _open_published(folder)


def open_for_others(folder: Path) -> Library:
    """The same, without what annotators wrote for their team, and without their names."""
    workspace = WorkspaceFolder(folder.absolute())
    if workspace.database.exists():
        return WorkspaceLibrary(workspace, pseudonyms_of(workspace))
    return _open_published(folder)


def _open_published(folder: Path) -> PublishedLibrary:
    published = PublishedLibrary(folder)
    if published.shards or published.raw:
        return published
    raise AramegaError(
        f"{folder}: is neither a workspace (it has no aramega.db) nor a published set that can be looked at (it has no "
        "ssum/*.parquet and no raw/*.parquet). `aramega build-ssum` makes one, `aramega publish --to` the other."
    )


@contextmanager
def indexed(library: Library, say: Say = lambda _: None) -> Iterator[Index]:
    """The library's index, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="aramega-browse-") as name:
        scratch = Path(name)
        yield build_index(library.entries(scratch), scratch / "index.db", say)
