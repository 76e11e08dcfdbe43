"""A workspace as a library: drafts, reviews and what was settled, read from its store, sound from its clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from aramega.desk.entries import LABELS, TEXTS, Entry, Voice, facts_line, farthest, joined, voice_of_review
from aramega.publish.anonymous import Pseudonyms, public_answer, public_reviews
from aramega.publish.columns import shown_on_the_desk
from aramega.publish.configurations import CONFIGURATIONS
from aramega.publish.materials import Material, read_materials
from aramega.publish.stretch import Inventories, passage_stretch
from aramega.records import AramegaError, Draft, ResolvedPassage, Settled
from aramega.settle.personal import stays_withheld
from aramega.settle.policies import current_answer, draft_of
from aramega.store import Store
from aramega.store.recordings import list_recordings
from aramega.workspace import WorkspaceFolder

NO_INVENTORIES: Inventories = {"dialect": (), "emotion": ()}
"""Labels have no numbers before they are published; the desk shows them by name."""


class WorkspaceLibrary:
    kind = "workspace"

    def __init__(self, workspace: WorkspaceFolder, names: Pseudonyms | None = None) -> None:
        """With pseudonyms, people's work is shown as it may be published; without, as it is."""
        self.workspace = workspace
        self._names = names
        self.name = workspace.root.name

    def entries(self, scratch: Path) -> Iterator[Entry]:
        with Store.open(self.workspace) as store, store.snapshot():
            for recording in list_recordings(store):
                for material in read_materials(store, recording):
                    if self._names is None:
                        yield entry_of(material)
                    elif not stays_withheld(material.reviews, material.resolved):
                        yield entry_of(_for_others(material, self._names))

    def sound(self, place: str) -> bytes:
        path = PurePosixPath(place)
        # The database may have come by mail: it is not to say which of our files are read aloud.
        if path.is_absolute() or ".." in path.parts or path.parts[:1] != ("clips",):
            raise AramegaError(f"{place}: does not lie among the workspace's clips.")
        try:
            self.workspace.bring(self.workspace.root / path)
            return (self.workspace.root / path).read_bytes()
        except OSError as error:
            raise AramegaError(f"{place}: {(error.strerror or str(error)).lower()}.") from None


def _for_others(material: Material, names: Pseudonyms) -> Material:
    """What people said as it may be published."""
    resolved = material.resolved
    reviews = public_reviews(material.reviews, names, accepted=resolved is None or resolved.accepted)
    return replace(material, reviews=tuple(reviews), resolved=public_answer(resolved, names) if resolved else None)


def entry_of(material: Material) -> Entry:
    """One passage with every voice that speaks of it."""
    drafted, resolved = material.drafted, material.resolved
    draft, recording, passage = drafted.draft, drafted.recording, drafted.passage
    final = current_answer(drafted, resolved)
    stretch = passage_stretch(drafted, final, NO_INVENTORIES)
    return Entry(
        id=passage.id,
        final=final_voice(final),
        draft=_draft_voice(draft),
        reviews=tuple(map(voice_of_review, material.reviews)),
        topics=final.topics,
        decision=draft.verdict.decision if draft.verdict else "",
        reasons=draft.verdict.reasons if draft.verdict else (),
        accepted=final.accepted if final.reviews else None,
        score=draft.verdict.score if draft.verdict else None,
        priority=draft.verdict.priority if draft.verdict else None,
        changed=farthest(final.transcript.distance, final.summary.distance),
        verified=verified_fields(final),
        about=facts_line(column.value(stretch) for column in shown_on_the_desk(CONFIGURATIONS["ssum"].columns)),
        name=recording.metadata.title or recording.name,
        start=passage.start,
        seconds=round(passage.seconds, 3),
        sound=passage.clip,
    )


def final_voice(resolved: ResolvedPassage) -> Voice:
    """The answer as a voice; an unknown is nothing said."""
    fields: dict[str, Settled] = {name: getattr(resolved, name) for name in (*TEXTS, *LABELS)}
    people = sorted({who for settled in fields.values() for who in settled.annotators})
    how = sorted({settled.how for settled in fields.values() if settled.verified})
    return Voice(
        "final",
        **{name: settled.value or None for name, settled in fields.items()},
        note=joined([", ".join(how), ", ".join(people), "" if resolved.accepted else resolved.reason]),
    )


def verified_fields(resolved: ResolvedPassage) -> tuple[str, ...]:
    return tuple(name for name in (*TEXTS, *LABELS) if getattr(resolved, name).verified)


def _draft_voice(draft: Draft) -> Voice | None:
    if draft.transcript is None and draft.summary is None:
        return None
    made_by = joined([part.model for part in (draft.transcript, draft.summary) if part])
    return Voice("draft", **{name: draft_of(draft, name) for name in (*TEXTS, *LABELS)}, note=made_by)
