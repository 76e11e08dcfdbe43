"""Reviewed drafts: what people did with the drafts they were shown, beside all that machines knew of those drafts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from aramega.config.check import FACTS
from aramega.records import DraftedPassage, Part, Review, from_dict
from aramega.settle.calibration import Calibration, ReviewedDraft, calibrate
from aramega.settle.policies import draft_of
from aramega.settle.shown import draft_fingerprint
from aramega.settle.standing import TEXTS, answer, is_rejection, standing
from aramega.store import Store
from aramega.store.calibration import load_calibration, write_calibration
from aramega.store.passages import LOADED, load_passages
from aramega.store.reviews import load_reviews, reviewed_passages
from aramega.store.verdicts import list_measured
from aramega.text import edit_counts, normalize


def calibrate_workspace(store: Store, *, dry_run: bool = False) -> Calibration:
    """Learn from the workspace's reviews, and keep it for the next verdicts, but on a dry run."""
    calibration = calibrate(list(list_reviewed_drafts(store, reviewed_passages(store))), tuple(FACTS))
    if not dry_run:
        write_calibration(store, calibration.to_dict())
    return calibration


def find_calibration(store: Store) -> Calibration | None:
    """What was learned last."""
    values = load_calibration(store)
    return from_dict(Calibration, values) if values else None


def list_reviewed_drafts(store: Store, passages: Sequence[str]) -> Iterator[ReviewedDraft]:
    """Every standing review, of these passages, of a draft that is still the one its annotator saw."""
    for first in range(0, len(passages), LOADED):
        batch = passages[first : first + LOADED]
        measured = {passage: facts for passage, _, facts in list_measured(store, batch)}
        reviews = load_reviews(store, batch)
        for item in load_passages(store, batch, Part.DRAFT):
            facts, shown = measured.get(item.id), draft_fingerprint(item.draft)
            if facts is None or item.draft.verdict is None:
                continue
            for review in standing(reviews[item.id]):
                if review.draft in ("", shown):
                    yield _reviewed(item, facts, review)


def _reviewed(item: DraftedPassage, facts: Mapping[str, float | None], review: Review) -> ReviewedDraft:
    verdict = item.draft.verdict
    texts = {text: (draft_of(item.draft, text) or "", answer(review, text)) for text in TEXTS}
    answered = {text: (draft, left) for text, (draft, left) in texts.items() if left is not None}
    accepted = not is_rejection(review)
    return ReviewedDraft(
        passage=item.id,
        group=item.recording.metadata.speaker or item.recording.id,
        facts={**facts, "similarity": verdict.similarity if verdict else 0.0},
        score=verdict.score if verdict else 0.0,
        is_unchanged=accepted and all(_plain(draft) == _plain(left) for draft, left in answered.values()),
        errors={text: _changes(draft, left) for text, (draft, left) in answered.items()} if accepted else {},
    )


def _changes(draft: str, left: str) -> tuple[int, int]:
    return edit_counts(normalize(left, "asr"), normalize(draft, "asr"))


def _plain(text: str) -> str:
    """What nobody has typed a change in: the same letters, however they are coded and spaced."""
    return " ".join(unicodedata.normalize("NFC", text).split())
