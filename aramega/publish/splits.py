"""Splits: which recordings are for training, which for validation, which for test.

A recording, a known speaker and a known programme are in one split only. Recordings that share a speaker or
a programme, directly or through others, form a group, and a hash of the group says where it goes. Groups
grow together when data is added, so a hash alone would move old rows: what was once decided is kept in the
*assignments*, a file that is published with the set, by hashed key, and always wins. A new recording that would tie two
splits together (its speaker is in train, its programme in test) is held back, and said so; the old rows stay.

The hash's salt is chosen once, at the first publication: of a few hundred, the one whose splits have
hours, dialects, lengths and reviewed rows nearest to the shares asked for. That is all the stratification
that whole groups allow, and it costs no stability.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aramega.records import AramegaError

SPLITS = ("train", "validation", "test")
SALTS = 400
"""Salts tried: with twenty groups the best of 400 is within a few per cent of the shares; more gains little."""
SALTS_FOR_MANY = 16
"""From this many thousand groups on, any salt is about as good as another."""


@dataclass(frozen=True)
class Member:
    """A recording as the splits see it."""

    recording: str
    speaker: str = ""
    programme: str = ""
    hours: Mapping[str, float] = field(default_factory=dict)
    """What is to be spread evenly: hours in all (under ""), and of each dialect, length and state of review."""


@dataclass(frozen=True)
class Shares:
    validation: float = 0.1
    test: float = 0.1

    @property
    def all(self) -> tuple[float, float, float]:
        return (1 - self.validation - self.test, self.validation, self.test)


@dataclass(frozen=True)
class SplitAssignments:
    """What was decided, for good. Keys are hashed with the salt: the file names neither speakers nor programmes."""

    salt: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    def key(self, kind: str, name: str) -> str:
        content = f"{kind}:{' '.join(name.split()).casefold()}".encode()
        return hashlib.blake2b(content, key=self.salt.encode(), digest_size=8).hexdigest()

    def keys_of(self, member: Member) -> list[str]:
        """The recording's own first."""
        named = (("recording", member.recording), ("programme", member.programme), ("speaker", member.speaker))
        return [self.key(kind, name) for kind, name in named if name]

    def to_json(self) -> str:
        return json.dumps({"salt": self.salt, "splits": dict(sorted(self.keys.items()))}, indent=0) + "\n"


@dataclass(frozen=True)
class Assignment:
    split_of: Mapping[str, str]
    """By recording."""
    held_back: Mapping[str, tuple[str, ...]]
    """Recordings that would tie these splits together."""
    assignments: SplitAssignments


def read_split_assignments(path: Path) -> SplitAssignments | None:
    """The assignments of an earlier version; None where there is none."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        keys = {str(key): str(split) for key, split in content["splits"].items()}
        if not set(keys.values()) <= set(SPLITS):
            raise ValueError("a split that we do not know")
        return SplitAssignments(str(content["salt"]), keys)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AramegaError(
            f"{path}: cannot be read as split assignments ({error}). It says where published rows are, so restore it "
            "from the version before rather than delete it."
        ) from None


def assign(
    members: Iterable[Member], assignments: SplitAssignments | None, shares: Shares, *, withdrawn: Iterable[str] = ()
) -> Assignment:
    """Give every recording its split; what `assignments` hold stays where it was. `withdrawn` recordings leave them."""
    ordered = sorted(members, key=lambda m: m.recording)
    if assignments is None:
        assignments = SplitAssignments(choose_salt(ordered, shares))
    decided = dict(assignments.keys)
    for recording in withdrawn:
        decided.pop(assignments.key("recording", recording), None)
    split_of, held_back, left = _follow(ordered, assignments, decided)
    for group in _groups(left, assignments):
        split = _place(assignments.salt, _name(group), shares)
        for member in group:
            split_of[member.recording] = split
            decided.update(dict.fromkeys(assignments.keys_of(member), split))
    return Assignment(split_of, held_back, SplitAssignments(assignments.salt, decided))


def _follow(
    members: Sequence[Member], assignments: SplitAssignments, decided: dict[str, str]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]], list[Member]]:
    """Place whoever is known, or is tied to someone who is; the rest is left. `decided` learns their keys."""
    keys = {member.recording: assignments.keys_of(member) for member in members}
    tied: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        for key in keys[member.recording][1:]:
            tied[key].append(member)
    split_of: dict[str, str] = {}
    held_back: dict[str, tuple[str, ...]] = {}
    # Published recordings first: their word counts before that of anything new.
    published = [m for m in members if keys[m.recording][0] in decided]
    new = [m for m in members if keys[m.recording][0] not in decided and any(k in decided for k in keys[m.recording])]
    queue = deque([*published, *new])
    while queue:
        member = queue.popleft()
        own, *others = keys[member.recording]
        if member.recording in split_of or member.recording in held_back:
            continue
        splits = [decided[own]] if own in decided else sorted({decided[k] for k in others if k in decided})
        if len(splits) > 1:
            held_back[member.recording] = tuple(splits)
            continue
        split_of[member.recording] = splits[0]
        for key in (own, *others):
            if key not in decided:
                decided[key] = splits[0]
                queue.extend(tied[key])
    left = [m for m in members if m.recording not in split_of and m.recording not in held_back]
    return split_of, held_back, left


def _groups(members: Sequence[Member], assignments: SplitAssignments) -> list[list[Member]]:
    """Members that share a key, directly or through others."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for member in members:
        first, *others = assignments.keys_of(member)
        for other in others:
            parent[root(other)] = root(first)
    groups: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[root(assignments.keys_of(member)[0])].append(member)
    return list(groups.values())


def _name(group: Sequence[Member]) -> str:
    """What a group is hashed by: a programme if it has one, which most of its later recordings will share too."""
    for kind in ("programme", "speaker", "recording"):
        names = sorted(" ".join(getattr(member, kind).split()).casefold() for member in group if getattr(member, kind))
        if names:
            return f"{kind}:{names[0]}"
    raise AssertionError("a recording has an id")


def _place(salt: str, name: str, shares: Shares) -> str:
    digest = hashlib.blake2b(name.encode(), key=salt.encode(), digest_size=8).digest()
    at = int.from_bytes(digest, "big") / 2**64
    train, validation, _ = shares.all
    return "train" if at < train else "validation" if at < train + validation else "test"


def choose_salt(members: Sequence[Member], shares: Shares) -> str:
    """The salt under which the splits come nearest to the shares, in all that `Member.hours` weighs."""
    groups = _groups(members, SplitAssignments())
    strata = sorted({stratum for member in members for stratum in member.hours})
    weights = np.zeros((len(groups), max(1, len(strata))))
    for row, group in zip(weights, groups, strict=True):
        for member in group:
            for column, stratum in enumerate(strata):
                row[column] += member.hours.get(stratum, 0.0)
    names = [_name(group) for group in groups]
    tried = SALTS if len(groups) < 1000 * SALTS_FOR_MANY else SALTS_FOR_MANY
    salts = [f"aramega-{number}" for number in range(tried)]
    return min(salts, key=lambda salt: (_imbalance(_columns(salt, names, shares), weights, shares), salt))


def _columns(salt: str, names: Sequence[str], shares: Shares) -> npt.NDArray[np.int64]:
    return np.array([SPLITS.index(_place(salt, name, shares)) for name in names], dtype=np.int64)


def _imbalance(places: npt.NDArray[Any], weights: npt.NDArray[Any], shares: Shares) -> float:
    """How far the hours of each kind are from their shares, the commoner kinds counting for more; worst of all is a
    set that has nothing to train on."""
    held = np.stack([weights[places == split].sum(axis=0) for split in range(len(SPLITS))])
    wanted = np.outer(shares.all, weights.sum(axis=0))
    whole = weights.sum() or 1.0
    nothing_to_train = bool(len(places)) and not (places == 0).any()
    return float(np.abs(held - wanted).sum() / whole) + 10.0 * nothing_to_train
