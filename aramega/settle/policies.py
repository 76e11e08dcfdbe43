"""Policies: how a draft and its reviews become one answer per field.

Each annotator's last submitted review counts once. A field is *verified* where a person was asked for it and
answered, be it by leaving the draft as it was; a field nobody was asked for keeps the draft's answer. Policies:

- `single`: the last review that answers the field;
- `majority`: labels by vote, texts by the medoid, the one closest to all others: a text that a person wrote is
  taken whole, never mixed from several;
- `gold`: a gold review settles what it answers; the rest by majority;
- `trusted`: the annotator who agrees best with gold; the rest by majority;
- `referee`: where annotators agree, by majority; where they don't, nothing is accepted until a referee has looked.

A passage flagged for personal data is accepted by none of them until it is cleared (`settle/personal.py`).
A passage that nobody has reviewed is its draft, accepted unless the checks rejected it. Nothing else in the package
makes a resolved passage.

Nothing here reads the clock or the database: the same draft and reviews give the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from aramega.records import AramegaError, Draft, DraftedPassage, ResolvedPassage, Review, Settled, SettledLine
from aramega.records.choices import PERSONAL_DATA
from aramega.settle.disagreement import Limits, needs_referee
from aramega.settle.distances import choose_medoid, edit_distance, label_distance
from aramega.settle.personal import is_withheld
from aramega.settle.realign import spread_regions, spread_transcript
from aramega.settle.standing import FIELDS, LABELS, asked, is_rejection, standing

PolicyName = Literal["single", "majority", "gold", "trusted", "referee"]
REJECTED_BY_CHECKS = "rejected by the checks"


@dataclass(frozen=True)
class Policy:
    """How several answers become one."""

    name: PolicyName = "majority"
    trust: Mapping[str, float] = field(default_factory=dict)
    """How well each annotator agrees with gold, 0 to 1; for `trusted`."""
    referees: Collection[str] = ()
    """Annotators whose word settles a disagreement, besides those who make gold; for `referee`."""
    limits: Limits = field(default_factory=Limits)
    """From where on annotators disagree; for `referee`."""
    labels: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """For a label field: which label of the inventory an answer is (a country may count for its region), or nothing:
    then it is no answer. A field not named takes any."""


def policy_name(text: str) -> PolicyName:
    """The policy a curator named."""
    for name in get_args(PolicyName):
        if text == name:
            return name  # type: ignore[no-any-return]
    raise AramegaError(f"--policy {text}: there is no such policy. Known: {', '.join(get_args(PolicyName))}.")


def resolve_passage(drafted: DraftedPassage, reviews: Sequence[Review], policy: Policy) -> ResolvedPassage:
    """One answer per field. `resolved_at` is left to whoever keeps it."""
    last = standing(reviews)
    if not last:
        return _resolve_draft(drafted)
    chosen = _choose_reviews(last, policy)
    fields = {name: _settle(name, drafted, chosen, policy) for name in FIELDS}
    settled = {name: answer for name, (answer, _) in fields.items()}
    accepted, reason = _judge(chosen, settled, _rejection_by_checks(drafted))
    if is_withheld(last, policy.referees):
        accepted, reason = False, PERSONAL_DATA
    return replace(
        _with_fields(drafted, settled, fields["transcript"][1]),
        accepted=accepted,
        reason=reason,
        flags=_shared_flags(chosen.first or chosen.all),
        reviews=tuple(r.id for r in last),
    )


def current_answer(drafted: DraftedPassage, resolved: ResolvedPassage | None) -> ResolvedPassage:
    """What people settled; of a passage that nobody has reviewed the draft as it is now, whatever was kept of it when
    `review resolve` last ran. So what is published of it never depends on whether that was run."""
    return resolved if resolved and resolved.reviews else resolve_passage(drafted, (), Policy())


def unknown_labels(reviews: Sequence[Review], policy: Policy) -> list[str]:
    """What standing reviews chose that no inventory knows."""
    given = [(name, label) for name in policy.labels for _, label in asked(standing(reviews), name)]
    return [f"{name}: {label}" for name, label in given if not policy.labels[name](label)]


@dataclass(frozen=True)
class _Chosen:
    """The reviews that count, those whose word goes first among them, and what follows for `how`."""

    first: Sequence[Review]
    """Asked field by field before all others; may be nobody."""
    all: Sequence[Review]
    how: str
    """Recorded where `first` answers."""
    waiting: Sequence[str] = ()
    """Fields that a referee has to settle before anything is accepted."""


def _choose_reviews(last: Sequence[Review], policy: Policy) -> _Chosen:
    if policy.name == "single":
        return _Chosen(last[-1:], last, "single")
    if policy.name == "gold":
        return _Chosen([r for r in last if r.gold], last, "gold")
    if policy.name == "trusted":
        return _Chosen(_most_trusted(last, policy.trust), last, "trusted")
    if policy.name == "referee":
        return _Chosen(_referees(last, policy), last, "referee", waiting_for_referee(last, policy))
    return _Chosen((), last, "majority")


def waiting_for_referee(reviews: Sequence[Review], policy: Policy) -> tuple[str, ...]:
    """The fields a referee is still to settle; none under another policy, or when one has looked."""
    last = standing(reviews)
    if policy.name != "referee" or _referees(last, policy):
        return ()
    return needs_referee(last, policy.limits)


def _referees(last: Sequence[Review], policy: Policy) -> list[Review]:
    return [r for r in last if r.gold or r.annotator in policy.referees]


def _most_trusted(last: Sequence[Review], trust: Mapping[str, float]) -> list[Review]:
    trusted = [r for r in last if r.annotator in trust]
    return [max(trusted, key=lambda r: trust[r.annotator])] if trusted else []


def _settle(name: str, drafted: DraftedPassage, chosen: _Chosen, policy: Policy) -> tuple[Settled, Review | None]:
    """A field's answer, and the review it was taken from."""
    draft = draft_of(drafted.draft, name)
    for reviews, how in ((chosen.first, chosen.how), (chosen.all, "single" if chosen.how == "single" else "majority")):
        answers = _known_answers(reviews, name, policy)
        if not answers:
            continue
        if how == "single":
            answers = answers[-1:]
        review, value = _vote(answers, draft) if name in LABELS else answers[choose_medoid([t for _, t in answers])]
        measure = label_distance if name in LABELS else edit_distance
        settled = Settled(
            value=value,
            verified=True,
            how="single" if how == "majority" and len(answers) == 1 else how,
            annotators=tuple(sorted(r.annotator for r, text in answers if text == value)),
            distance=measure(draft, value),
        )
        return settled, review
    return _as_drafted(drafted, name), None


def _known_answers(reviews: Sequence[Review], name: str, policy: Policy) -> list[tuple[Review, str]]:
    answers = asked(reviews, name)
    home = policy.labels.get(name)
    return answers if home is None else [(review, label) for review, text in answers if (label := home(text))]


def _vote(answers: Sequence[tuple[Review, str]], draft: str | None) -> tuple[Review, str]:
    """The label most say; of several, the one the draft says too, as one more voice, else the last one said."""
    votes = Counter(label for _, label in answers)
    most = max(votes.values())
    tied = [(review, label) for review, label in answers if votes[label] == most]
    return next((pair for pair in tied if pair[1] == draft), tied[-1])


def _judge(chosen: _Chosen, settled: Mapping[str, Settled], by_checks: str) -> tuple[bool, str]:
    """Whether the passage is accepted and, if not, why. Where nobody gave a verdict, that of the checks stands, as the
    draft does in a field nobody answered: to correct a text is not yet to accept the passage."""
    if chosen.waiting:
        return False, f"a referee has to look: annotators disagree on {', '.join(chosen.waiting)}"
    voters = [r for r in chosen.first if r.verdict] or [r for r in chosen.all if r.verdict]
    if not voters and by_checks:
        return False, by_checks
    rejecting = [r for r in voters if is_rejection(r)]
    if 2 * len(rejecting) > len(voters):
        return False, _most_given([r.reason for r in rejecting if r.reason]) or "rejected without a reason"
    if rejecting and 2 * len(rejecting) == len(voters):
        why = _most_given([r.reason for r in rejecting if r.reason])
        return False, f"{len(rejecting)} of {len(voters)} annotators reject it" + (f": {why}" if why else "")
    empty = [name for name in ("transcript", "summary") if not settled[name].value.strip()]
    emptied = [name for name in empty if settled[name].verified]
    if emptied:
        return False, f"accepted with an empty {' and '.join(emptied)}"
    # Without a summary a passage is still speech with its words; without words it is nothing.
    return ("transcript" not in empty), ("it has no transcript" if "transcript" in empty else "")


def _most_given(reasons: Sequence[str]) -> str:
    """The last one of the most frequent kind: what stands before a colon, the rest being a note of the annotator's."""
    counts = Counter(kind_of(reason) for reason in reasons)
    return max(reversed(reasons), key=lambda reason: counts[kind_of(reason)], default="")


def kind_of(reason: str) -> str:
    """A reason without what was remarked to it."""
    return reason.partition(":")[0].strip()


def _shared_flags(voters: Sequence[Review]) -> tuple[str, ...]:
    """Quality flags are warnings: half of the voices are enough."""
    counts = Counter(flag for review in voters for flag in set(review.flags))
    return tuple(sorted(flag for flag, number in counts.items() if 2 * number >= len(voters)))


def _with_fields(drafted: DraftedPassage, settled: Mapping[str, Settled], words: Review | None) -> ResolvedPassage:
    """The fields' answers, with lines from the review that gave the words, else from the draft; not yet accepted."""
    return ResolvedPassage(
        passage=drafted.id,
        accepted=False,
        transcript=settled["transcript"],
        summary=settled["summary"],
        title=settled["title"],
        dialect=settled["dialect"],
        emotion=settled["emotion"],
        topics=drafted.draft.summary.topics if drafted.draft.summary else (),
        lines=_settle_lines(drafted, words, settled["transcript"].value),
    )


def _settle_lines(drafted: DraftedPassage, words: Review | None, transcript: str) -> tuple[SettledLine, ...]:
    lines = drafted.draft.transcript.lines if drafted.draft.transcript else ()
    if words and words.regions:
        return spread_regions(drafted.segments, lines, words.regions)
    return spread_transcript(drafted.segments, lines, transcript)


def _rejection_by_checks(drafted: DraftedPassage) -> str:
    """Why the checks rejected the draft; empty where they did not."""
    verdict = drafted.draft.verdict
    if not verdict or verdict.decision != "reject":
        return ""
    return ": ".join(filter(None, (REJECTED_BY_CHECKS, "; ".join(verdict.reasons))))


def _resolve_draft(drafted: DraftedPassage) -> ResolvedPassage:
    """What machines wrote, where nobody has looked: accepted unless the checks rejected it, or it has no words."""
    as_it_is = _with_fields(drafted, {name: _as_drafted(drafted, name) for name in FIELDS}, None)
    if by_checks := _rejection_by_checks(drafted):
        return replace(as_it_is, reason=by_checks)
    if not as_it_is.transcript.value.strip():
        return replace(as_it_is, reason="it has no transcript")
    return replace(as_it_is, accepted=True)


def _as_drafted(drafted: DraftedPassage, name: str) -> Settled:
    """The draft's word on a field that nobody answered: at no distance, for nobody held it against anything."""
    return Settled(draft_of(drafted.draft, name) or "")


def draft_of(draft: Draft, name: str) -> str | None:
    """What the machines say of a field; None where they said nothing."""
    if name == "transcript":
        return draft.transcript.text if draft.transcript else None
    if name in ("summary", "title"):
        return (draft.summary.text if name == "summary" else draft.summary.title) if draft.summary else None
    scores = getattr(draft.labels, name) if draft.labels else ()
    return scores[0].label if scores else None
