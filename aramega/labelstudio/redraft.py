"""Redraft: drafts one passage anew, by the models the workspace is configured for now.

The stages of a build do it, one passage instead of all: whatever is not up to date with the configuration is done,
and kept, so that the next build finds it done. Where nothing has changed, the draft is the one that is there; while
a build is at work it has the workspace for itself, and the draft is what there is so far. A model that was loaded for
one passage stays loaded for the next.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

from aramega.engine import Done, Failed, Task
from aramega.engine.worker import Worker
from aramega.errors import AramegaError, NotNow
from aramega.pipeline import Pipeline
from aramega.pipeline.build import building
from aramega.records import Draft
from aramega.stages.base import Stage, Takes
from aramega.store import Finished, Store
from aramega.store.items import load_item
from aramega.store.passages import load_draft
from aramega.store.pending import is_pending
from aramega.store.results import write_outcomes


@dataclass
class Redrafter:
    """Drafts passages anew."""

    store: Store
    pipeline: Pipeline

    def __post_init__(self) -> None:
        self._worker = Worker([copy(stage) for stage in self.pipeline.stages])

    def redraft(self, passage: str) -> Draft:
        """The passage's draft, up to date, or as far as it can be brought now."""
        for stage in self.pipeline.stages:
            if stage.takes is Takes.PASSAGE and not self._bring_up_to_date(stage, passage):
                break
        return load_draft(self.store, passage)

    def _bring_up_to_date(self, stage: Stage[object], passage: str) -> bool:
        """Whether the stage has done the passage, now or before; raises for a bug in it."""
        mark, needed = self.pipeline.needs(stage)
        if not is_pending(self.store, mark, needed, passage):
            return True
        try:
            with building(self.pipeline.workspace):
                item = load_item(self.store, Takes.PASSAGE, passage, stage.parts)
                task = Task(stage.name, (passage,), (item,))
                for answer in self._worker.do(task):
                    if isinstance(answer, Failed) and answer.trace:
                        raise RuntimeError(answer.error)
                    if isinstance(answer, Done):
                        write_outcomes(self.store, [Finished(mark, passage, stage.makes, answer.records, answer.took)])
                        return True
        except RuntimeError as error:
            raise AramegaError(f"{stage.name} of {passage}: {error}") from error
        except NotNow:  # a build is at work
            pass
        return False
