"""Records to plain values and back, so that they travel as JSON and lie in tables."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timezone
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

R = TypeVar("R")


def timestamp() -> str:
    """This moment, as it is written down everywhere: ISO 8601, in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def from_json(kind: type[R], text: str) -> R:
    return from_dict(kind, json.loads(text))


def from_dict(kind: type[R], values: Mapping[str, Any]) -> R:
    """Build a record from plain values; keys it does not know are left out (a newer workspace's)."""
    revivers = _revivers(kind)  # type: ignore[arg-type]  # a class is hashable, whatever its metaclass may be
    known = {name: revive(values[name]) for name, revive in revivers.items() if name in values}
    return kind(**known)


def to_values(record: Any) -> Any:
    """A record as plain values: dicts, lists, numbers and text. Those of `dataclasses.asdict`, which copies every number
    deeply, and takes ten times as long."""
    if is_dataclass(record) and not isinstance(record, type):
        return {name: to_values(getattr(record, name)) for name in _names_of(type(record))}
    if isinstance(record, tuple):
        nested = bool(record) and (isinstance(record[0], tuple) or is_dataclass(record[0]))
        return list(map(to_values, record)) if nested else list(record)
    return record


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


Revive = Callable[[Any], Any]


@cache
def _revivers(kind: Hashable) -> dict[str, Revive]:
    """How each field of a record comes back from plain values: settled once a type, since rows come by the million."""
    hints = typing.get_type_hints(kind)
    return {f.name: _reviver(hints[f.name]) for f in fields(kind)}  # type: ignore[arg-type]


def _reviver(hint: Any) -> Revive:
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value: None if value is None else from_dict(hint, value)
    if get_origin(hint) is tuple:
        inner = _reviver(get_args(hint)[0])
        return lambda value: None if value is None else tuple(map(inner, value))
    if get_origin(hint) in (typing.Union, types.UnionType):
        return _reviver(next(a for a in get_args(hint) if a is not type(None)))
    return lambda value: value
