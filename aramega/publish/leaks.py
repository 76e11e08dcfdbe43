"""Leaks: what is in one split and, by another name, in another too.

A recording, a speaker, a programme; and transcripts that say nearly the same (a jingle, an advertisement, a
headline read every hour), which are near-duplicates as the check stage has them: rows of validation and test are
indexed, rows of train are looked up. An index of the small splits alone keeps a million rows of train out of memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aramega.publish.splits import SPLITS
from aramega.text import normalize
from aramega.text.near_duplicates import band_keys, likeness, signature


@dataclass(frozen=True)
class SplitRow:
    """A row as this check sees it."""

    id: str
    split: str
    recording: str
    speaker: str
    programme: str
    signature: bytes


@dataclass(frozen=True)
class Leak:
    kind: str
    """recording, speaker, programme or transcript."""
    what: str
    other: str
    """A row of the more precious split."""
    leaked: str
    """A row of the less precious one: what `drop` drops."""
    splits: tuple[str, str]

    def __str__(self) -> str:
        shown = f"the transcript of {self.other}" if self.kind == "transcript" else f"{self.kind} {self.what}"
        return f"{shown} is in {self.splits[0]} ({self.other}) and in {self.splits[1]} ({self.leaked})"


def signature_of(text: str) -> bytes:
    """A text's signature; none for a text too short to have a trigram: two passages that say "yes" leak nothing."""
    return signature(text) if len(normalize(text, "asr").split()) > 2 else b""


def find_leaks(rows: Iterable[SplitRow], threshold: float) -> Iterator[Leak]:
    """Every row that leaks, once, beside a row it leaks into."""
    listed = sorted(rows, key=lambda row: -SPLITS.index(row.split))
    leaked: set[str] = set()
    for kind in ("recording", "speaker", "programme"):
        owner: dict[str, SplitRow] = {}
        for row in listed:
            name = " ".join(getattr(row, kind).split()).casefold()
            first = owner.setdefault(name, row)
            if name and first.split != row.split and row.id not in leaked:
                leaked.add(row.id)
                yield Leak(kind, getattr(row, kind), first.id, row.id, (first.split, row.split))
    yield from _near_duplicates([row for row in listed if row.id not in leaked and row.signature], threshold)


def _near_duplicates(rows: Sequence[SplitRow], threshold: float) -> Iterator[Leak]:
    """`rows` come test first, train last; each is looked up among those of other splits before it."""
    index: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        keys = band_keys(row.signature, threshold)
        seen = {i for key in keys for i in index.get(key, ()) if rows[i].split != row.split}
        near = max(seen, key=lambda i: (likeness(rows[i].signature, row.signature), -i), default=None)
        if near is not None and likeness(rows[near].signature, row.signature) >= threshold:
            yield Leak("transcript", "", rows[near].id, row.id, (rows[near].split, row.split))
        elif row.split != "train":
            for key in keys:
                index[key].append(place)


def group_by_kind(leaks: Iterable[Leak]) -> Mapping[str, list[Leak]]:
    grouped: dict[str, list[Leak]] = defaultdict(list)
    for leak in leaks:
        grouped[leak.kind].append(leak)
    return grouped
