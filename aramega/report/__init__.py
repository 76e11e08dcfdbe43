"""Report: writes a build's report, one HTML page that works offline and can be mailed; and the page of disagreements.

`facts` reads the store, `sample` and `pictures` make what can be heard and seen, `plots` draws, and
`report.html.j2` says it. All that came from files (names, titles, errors) is untrusted: it is escaped by
the template, shown by `display.visible`, and the page's own policy forbids it to run or fetch anything.
"""

from __future__ import annotations

from pathlib import Path

from aramega.pipeline import Pipeline
from aramega.report.facts import WHOLE_PAGE, Extent, gather_facts
from aramega.report.page import render_page
from aramega.report.sample import make_previews
from aramega.store import Store
from aramega.workspace import whole_file

__all__ = ["WHOLE_PAGE", "Extent", "write_report"]


def write_report(store: Store, pipeline: Pipeline, extent: Extent = WHOLE_PAGE) -> Path:
    """Write the workspace's `report.html` and say where it is."""
    workspace = pipeline.workspace
    facts = gather_facts(store, pipeline, extent)
    previews = make_previews([heard.passage for heard in facts.sample], workspace)
    page = render_page(facts, previews, pipeline.config)
    with whole_file(workspace.report) as part:
        part.write_text(page, encoding="utf-8")
    return workspace.report
