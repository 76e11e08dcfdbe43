"""Records as JSON: what is published of drafts and reviews, and what fingerprints are made of.

The same record gives the same bytes in every version of aramega: fingerprints of published versions depend on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, NewType

from aramega.publish.anonymous import PRIVATE_FIELDS
from aramega.records import Draft, Line, Review

Hash = NewType("Hash", bytes)
"""Eight bytes."""

# json.dumps makes an encoder anew for each call that wants anything unusual, which costs more than the encoding.
to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_to_sorted_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def values_of(value: Any) -> Any:
    """A record as plain values. `dataclasses.asdict` copies every number deeply: 2 ms a passage, most of a selection."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: values_of(getattr(value, name)) for name in _names_of(type(value))}
    if isinstance(value, tuple):
        return list(map(values_of, value)) if value and is_dataclass(value[0]) else list(value)
    return value


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    """A recognizer's token numbers mean something to that recognizer only, and are half of a draft's bytes."""
    return tuple(field.name for field in fields(kind) if (kind, field.name) != (Line, "tokens"))


def public_review(review: Review) -> dict[str, Any]:
    """A review without the fields that are never published."""
    return {name: value for name, value in values_of(review).items() if name not in PRIVATE_FIELDS}


def whole_draft(draft: Draft) -> str:
    """All that machines wrote: the better part of a selection, so it is made only where `raw` is asked for."""
    return to_json({name: part for name, part in values_of(draft).items() if part is not None})


def content_hash(values: Mapping[str, Any]) -> Hash:
    """64 bits of what a row says: two versions of a row are equal if these are."""
    return Hash(hashlib.blake2b(_to_sorted_json(values).encode(), digest_size=8).digest())
