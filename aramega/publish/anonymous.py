"""Anonymous: what of people's reviews may be published, and nothing else.

What is not named here stays in the workspace: the annotators' names, their comments, when they worked and for how long,
where. Texts they wrote as an answer (transcript, summary, title) may be seen; of a reason only what a form of ours
offers, since what a review keeps as its reason may hold a comment behind it. Of a passage that was rejected no text is
published at all, neither the draft's nor a person's; nor is that of a review which rejects it, for nobody answered there.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from aramega.records import ResolvedPassage, Review, Settled
from aramega.records.choices import chosen_reasons, current_flag
from aramega.settle.standing import is_rejection, standing
from aramega.workspace import WorkspaceFolder, whole_file

PRIVATE_FIELDS = frozenset({"created_at", "updated_at", "seconds_spent", "place"})
"""Of a review: when, how long and where somebody worked."""
_UNTOLD = "other"
"""What a reason of someone's own is published as."""
_FIELD = "(?:verdict|transcript|summary|title|dialect|emotion)"
_JUDGED = re.compile(
    rf"rejected without a reason|a referee has to look: annotators disagree on {_FIELD}(?:, {_FIELD})*"
    r"|accepted with an empty (?:transcript|summary|transcript and summary)|it has no transcript"
)
"""Why a passage was not accepted, in words of ours alone."""
_OUTVOTED = re.compile(r"(\d+ of \d+ annotators reject it)(?:: (.*))?", re.DOTALL)


class Pseudonyms:
    """The same person is the same made-up name in every version; without the salt, which is not published, nobody
    can try names until one fits."""

    def __init__(self, salt: str) -> None:
        self._salt = salt

    def __call__(self, name: str) -> str:
        digest = hashlib.blake2b(name.encode(), key=self._salt.encode()[:64], digest_size=4)
        return f"annotator-{digest.hexdigest()}"


def pseudonyms_of(workspace: WorkspaceFolder) -> Pseudonyms:
    """The workspace's own; their salt stays there, readable by its owner only."""
    path = workspace.root / "publish" / "annotators.salt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as part:
            part.touch(mode=0o600)
            part.write_text(secrets.token_hex(16), encoding="utf-8")
    return Pseudonyms(path.read_text(encoding="utf-8"))


def public_reviews(reviews: Sequence[Review], names: Pseudonyms, *, accepted: bool) -> list[Review]:
    """Each annotator's last submitted review, without what is theirs alone. Drafts and skipped tasks are theirs."""
    public = [_public_review(review, names) for review in standing(reviews)]
    return [review if accepted and not is_rejection(review) else _without_texts(review) for review in public]


def public_answer(resolved: ResolvedPassage, names: Pseudonyms) -> ResolvedPassage:
    """What was settled, its annotators under pseudonyms; of a rejected passage without the texts."""

    def hidden(settled: Settled) -> Settled:
        value = settled.value if resolved.accepted else ""
        return replace(settled, value=value, annotators=tuple(map(names, settled.annotators)))

    return replace(
        resolved,
        reason=public_reason(resolved),
        transcript=hidden(resolved.transcript),
        summary=hidden(resolved.summary),
        title=hidden(resolved.title),
        dialect=hidden(resolved.dialect),
        emotion=hidden(resolved.emotion),
        topics=resolved.topics if resolved.accepted else (),
        flags=tuple(map(current_flag, resolved.flags)),
        lines=resolved.lines if resolved.accepted else (),
        reviews=tuple(map(review_number, resolved.reviews)),
    )


def public_reason(resolved: ResolvedPassage) -> str:
    """Why a passage was not accepted, without what anybody wrote about it."""
    if not resolved.reviews or not resolved.reason or _JUDGED.fullmatch(resolved.reason):
        return resolved.reason  # the checks' own words, or ours
    if outvoted := _OUTVOTED.fullmatch(resolved.reason):
        return outvoted[1] + (f": {_chosen(outvoted[2])}" if outvoted[2] else "")
    return _chosen(resolved.reason)


def review_number(review: str) -> str:
    """Ids of reviews name the server they were made on; a hash of one names nothing and still tells them apart."""
    return hashlib.blake2b(review.encode(), digest_size=8).hexdigest()


def _public_review(review: Review, names: Pseudonyms) -> Review:
    return Review(
        id=review_number(review.id),
        passage=review.passage,
        annotator=names(review.annotator),
        state=review.state,
        updated_at="",
        verdict=review.verdict,
        reason=_chosen(review.reason) if is_rejection(review) else ", ".join(chosen_reasons(review.reason)),
        transcript=review.transcript,
        summary=review.summary,
        title=review.title,
        dialect=review.dialect,
        emotion=review.emotion,
        flags=tuple(map(current_flag, review.flags)),
        confidence=review.confidence,
        regions=review.regions,
        draft=review.draft,
        gold=review.gold,
    )


def _without_texts(review: Review) -> Review:
    return replace(review, transcript=None, summary=None, title=None, regions=())


def _chosen(reason: str) -> str:
    """The choices a reason begins with."""
    return ", ".join(chosen_reasons(reason)) or (_UNTOLD if reason else "")
