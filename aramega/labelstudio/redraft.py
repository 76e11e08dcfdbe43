"""Redraft: drafts one passage anew, by the models the workspace is configured for now.

The stages of a build do it, one passage instead of all: whatever is not up to date with the configuration is done,
and kept, so that the next build finds it done. Where nothing has changed, the draft is the one that is there; while
a build is at work it has the workspace for itself, and the draft is what there is so far.
"""

from __future__ import annotations

import time

from aramega.errors import AramegaError
from aramega.pipeline import Pipeline
from aramega.pipeline.build import building
from aramega.records import Draft
from aramega.stages.base import Takes
from aramega.store import Finished, Store
from aramega.store.drafts import load_draft
from aramega.store.items import load_item
from aramega.store.pending import is_pending
from aramega.store.results import write_outcomes


def redraft(store: Store, pipeline: Pipeline, passage: str) -> Draft:
    """The passage's draft, up to date."""
    for stage in (s for s in pipeline.stages if s.takes is Takes.PASSAGE):
        mark, needed = pipeline.needs(stage)
        if not is_pending(store, mark, needed, passage):
            continue
        begun = time.monotonic()
        try:
            with building(pipeline.workspace):
                records = stage.run(load_item(store, Takes.PASSAGE, passage))
                write_outcomes(store, [Finished(mark, passage, stage.makes, records, time.monotonic() - begun)])
        except AramegaError:
            break
        except Exception as error:
            raise AramegaError(f"{stage.name} of {passage}: {type(error).__name__}: {error}") from error
    return load_draft(store, passage)
