"""The page: one file of markup, style and script, for the server to give out and for `--to` to write.

Nothing of a dataset is ever in the markup. What the page is to show travels as JSON, in a block that no
browser executes or from the server, and the script puts it there as text. Style and script are named by their
hashes in the content security policy, so that nothing else runs, whatever a transcript may hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aramega.desk.entries import Library
from aramega.desk.index import Index
from aramega.desk.query import PROCLITICS, SHORTEST_OPEN, SORTS
from aramega.html import PageFiles, as_data_block, render
from aramega.version import __version__

STYLES = (("aramega.report", "report.css"), ("aramega.desk", "desk.css"))
SCRIPTS = ("fold.js", "sources.js", "passage.js", "desk.js")


def page_facts(library: Library, index: Index) -> dict[str, Any]:
    """What the page knows before anything is asked for."""
    return {
        "name": library.name,
        "kind": library.kind,
        "total": index.count(),
        "choices": index.choices(),
        "sorts": [name for name in SORTS if name == "place" or index.knows(name)],
        "proclitics": PROCLITICS,
        "shortest_open": SHORTEST_OPEN,
        "version": __version__,
    }


def render_served(facts: Mapping[str, Any]) -> str:
    """The page that asks the server it came from."""
    return _render({**facts, "served": True}, sound="'self'", connect="'self'")


def render_alone(facts: Mapping[str, Any]) -> str:
    """The page that carries everything."""
    return _render({**facts, "served": False}, sound="data:", connect="'none'")


def _render(facts: Mapping[str, Any], *, sound: str, connect: str) -> str:
    files = PageFiles(
        ("aramega.desk", "desk.html.j2"),
        styles=STYLES,
        scripts=[("aramega.desk", name) for name in SCRIPTS],
        allows={"img-src": "data:", "media-src": sound, "connect-src": connect},
    )
    return render(files, facts=as_data_block(facts))
