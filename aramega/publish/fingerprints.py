"""Fingerprints: what a version, and each passage in it, is known by.

A killed run finds its own half-done work by the plan's fingerprint, and a second run of the same set finds that nothing
changed. Versions that were published are known by theirs, so the bytes that they are made of stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from aramega.publish.as_json import to_json
from aramega.publish.columns import cached_names
from aramega.publish.rows import PassageRow, RawRow, SegmentRow


def content_of(row: PassageRow, segments: Sequence[SegmentRow], raw: RawRow, clip: str, start: float) -> bytes:
    """All that a passage's rows say, as the bytes that fingerprints of versions have always been made of."""
    return to_json(
        {
            "passage": values_in_order(row),
            "segments": list(map(values_in_order, segments)),
            "raw": values_in_order(raw),
            "clip": clip,
            "start": start,
        }
    ).encode()


def values_in_order(row: object) -> dict[str, Any]:
    """A row's values but for its audio, in the order of fingerprints and of tars: `clip` comes after `licence`."""
    names, values_of = _in_order(type(row))  # type: ignore[arg-type]
    return dict(zip(names, values_of(row), strict=True))


@cache
def _in_order(row: Hashable) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """The names of a row's values, and what reads them all at once."""
    names = cached_names(row)
    after = names.index("licence") + 1
    place = [name for name in names[:after] if name != "clip"]
    in_order = (*place, *(["clip"] if "clip" in names else []), *names[after:])
    return in_order, attrgetter(*in_order)


def fingerprint_of(decisions: Iterable[object], passages: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """Of every row in its place, and of whatever else decides the bytes of a shard.

    `passages` are ids and contents, by what they are for and their split.
    """
    digest = hashlib.sha256(json.dumps(list(decisions)).encode())
    for place, rows in passages.items():
        digest.update(f"\n{place}\n".encode())
        for number, content in rows:
            digest.update(f"{number} {content}\n".encode())
    return digest.hexdigest()[:16]
