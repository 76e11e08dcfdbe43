"""Resolve: settle a workspace's passages by a policy, and keep what came of it.

The deciding is in `policies`; here is the reading and writing around it. A passage of which nothing changed is not
written again, so that `resolved_at` says since when its answer stands. Passages nobody has reviewed are settled,
too, as their drafts: what is published names for each field whether a person gave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

from aramega.records import Part, ResolvedPassage
from aramega.settle.agreement import group_standing, measure_trust
from aramega.settle.personal import is_withheld
from aramega.settle.policies import Policy, PolicyName, kind_of, resolve_passage, unknown_labels, waiting_for_referee
from aramega.settle.standing import FIELDS
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import LOADED, load_passages
from aramega.store.reviews import load_resolved, load_reviews, reviewed_passages, write_resolved

__all__ = ["Policy", "PolicyName", "Settlement", "resolve_passage", "resolve_workspace"]


@dataclass(frozen=True)
class Settlement:
    """What a run of `resolve` found."""

    policy: PolicyName
    passages: int
    reviewed: int
    accepted: int
    """Of the reviewed."""
    unreviewed_accepted: int
    """Passages nobody has looked at, which the checks did not reject."""
    changed: int
    """Passages whose answer is not what it was before."""
    verified: Mapping[str, int]
    """By field: passages in which a person answered it."""
    reasons: Mapping[str, int]
    """Why reviewed passages were not accepted, by kind, the most frequent first."""
    for_referee: tuple[str, ...]
    """Passages to send to a referee as new tasks."""
    unknown_labels: Mapping[str, int]
    """Labels outside the inventory, which were not counted, as `field: label`."""
    without_passage: tuple[str, ...]
    """Passages with reviews that the workspace no longer holds: it was segmented anew since."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return asdict(self)


def resolve_workspace(
    store: Store, policy: Policy, *, where: str = "", now: datetime | None = None, dry_run: bool = False
) -> Settlement:
    """Settle every passage for which the SQL expression `where` is true, and keep what changed, but on a dry run."""
    when = (now or datetime.now(timezone.utc)).isoformat(timespec="seconds")
    policy = _with_trust(store, policy)
    passages = list(find_passages(store, where))
    settled: list[ResolvedPassage] = []
    waiting: list[str] = []
    unknown: Counter[str] = Counter()
    changed = 0
    for start in range(0, len(passages), LOADED):
        batch, fresh = passages[start : start + LOADED], []
        all_reviews, before = load_reviews(store, batch), load_resolved(store, batch)
        for drafted in load_passages(store, batch, Part.SEGMENTS | Part.DRAFT):
            reviews = all_reviews[drafted.id]
            resolved = resolve_passage(drafted, reviews, policy)
            if _is_new(resolved, before.get(drafted.id)):
                fresh.append(replace(resolved, resolved_at=when))
            settled.append(replace(resolved, lines=()))  # counted below; the words are not needed for that
            if waiting_for_referee(reviews, policy) or is_withheld(reviews, policy.referees):
                waiting.append(drafted.id)
            unknown.update(unknown_labels(reviews, policy))
        write_resolved(store, () if dry_run else fresh)
        changed += len(fresh)
    reviewed = [r for r in settled if r.reviews]
    return Settlement(
        policy=policy.name,
        passages=len(settled),
        reviewed=len(reviewed),
        accepted=sum(r.accepted for r in reviewed),
        unreviewed_accepted=sum(r.accepted for r in settled if not r.reviews),
        changed=changed,
        verified={name: sum(getattr(r, name).verified for r in settled) for name in FIELDS},
        reasons=dict(Counter(kind_of(r.reason) for r in reviewed if not r.accepted).most_common()),
        for_referee=tuple(waiting),
        unknown_labels=dict(unknown.most_common()),
        without_passage=tuple(sorted(set(reviewed_passages(store)) - set(find_passages(store)))),
    )


def _is_new(resolved: ResolvedPassage, before: ResolvedPassage | None) -> bool:
    return before is None or replace(before, resolved_at="") != resolved


def _with_trust(store: Store, policy: Policy) -> Policy:
    """The policy `trusted` with what all reviews say of each annotator, unless it was told."""
    if policy.name != "trusted" or policy.trust:
        return policy
    everyone = load_reviews(store, reviewed_passages(store)).values()
    return replace(policy, trust=measure_trust(group_standing(review for reviews in everyone for review in reviews)))
