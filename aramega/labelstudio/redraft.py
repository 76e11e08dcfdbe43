"""Drafting one passage anew, by the models the workspace is configured for now.

The stages of a build do it, one passage instead of all: whatever is not up to date with the configuration is done,
and kept, so that the next build finds it done. Where nothing has changed, the draft is the one that is there; while
a build is at work it has the workspace for itself, and the draft is what there is so far.
"""

from __future__ import annotations

import time

from aramega.config import Config
from aramega.errors import AramegaError
from aramega.pipeline.build import building
from aramega.records import Draft
from aramega.stages import make_stages
from aramega.stages.base import Takes
from aramega.store import Finished, Store, current_marks
from aramega.store.drafts import load_draft
from aramega.workspace import WorkspaceFolder


def redraft(store: Store, workspace: WorkspaceFolder, config: Config, passage: str) -> Draft:
    """The passage's draft, up to date."""
    stages = make_stages(config, workspace)
    marks = current_marks(stages)
    for stage in (s for s in stages if s.takes is Takes.PASSAGE):
        mark, reads = marks[stage.name], [marks[name] for name in stage.reads]
        if not store.is_pending(mark, reads, passage):
            continue
        begun = time.monotonic()
        try:
            with building(workspace):
                records = stage.run(store.load(Takes.PASSAGE, passage))
                store.write([Finished(mark, passage, stage.makes, records, time.monotonic() - begun)])
        except AramegaError:
            break
        except Exception as error:
            raise AramegaError(f"{stage.name} of {passage}: {type(error).__name__}: {error}") from error
    return load_draft(store, passage)
