"""The drafted passages that become tasks, loaded a batch at a time.

They come without the music in them: reading a long recording's timeline would take longer than all the rest of a push.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from aramega.errors import AramegaError
from aramega.labelstudio.clips import checked_id
from aramega.records import Draft, DraftedPassage, Part
from aramega.stages.names import LABEL, SUMMARIZE, TRANSCRIBE
from aramega.store import Store
from aramega.store.passages import LOADED, load_drafts, load_passages
from aramega.store.results import fingerprints_of

SHOWN = Part.SEGMENTS | Part.DRAFT
_DRAFTED_BY = (TRANSCRIBE, SUMMARIZE, LABEL)


@dataclass(frozen=True)
class TaskDraft:
    """What a task shows of a passage."""

    drafted: DraftedPassage
    version: str
    """Fingerprint of what made the draft."""
    rival: Draft | None = None
    """Another draft of the same passage, to choose between."""


def load_task_drafts(
    store: Store, passages: Iterable[str], rivals: Store | None = None
) -> Iterator[tuple[str, TaskDraft | AramegaError]]:
    """Each passage with what its task shows, or why there can be no task."""
    names = iter(passages)
    while batch := list(islice(names, LOADED)):
        loaded = {drafted.id: drafted for drafted in load_passages(store, batch, SHOWN)}
        made_by = fingerprints_of(store, list(loaded), _DRAFTED_BY)
        others = load_drafts(rivals, batch) if rivals else {}
        for passage in batch:
            try:
                if checked_id(passage) not in loaded:
                    raise AramegaError(f"{passage}: no such passage in this workspace.")
            except AramegaError as error:
                yield passage, error
                continue
            yield passage, TaskDraft(loaded[passage], _version(made_by[passage]), others.get(passage))


def draft_version(store: Store, passage: str) -> str:
    """Fingerprint of what made a passage's draft."""
    return _version(fingerprints_of(store, [passage], _DRAFTED_BY)[passage])


def _version(made_by: Iterable[tuple[str, str]]) -> str:
    """The same for every passage drafted by the same models and options, since Label Studio pre-fills only predictions
    of the one version a project prefers."""
    text = "\n".join(f"{stage} {fingerprint}" for stage, fingerprint in made_by)
    return f"aramega-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
