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
    build: Callable[[Mapping[str, Any]], R] = _builder(kind)  # type: ignore[arg-type]  # a class is hashable
    return build(values)


def to_values(record: Any) -> Any:
    """A record as plain values: dicts, lists, numbers and text. Those of `dataclasses.asdict`, which copies every number
    deeply, and takes ten times as long."""
    if is_dataclass(record) and not isinstance(record, type):
        return {name: to_values(value) for name, value in fields_of(record).items()}
    if isinstance(record, tuple):
        nested = bool(record) and (isinstance(record[0], tuple) or is_dataclass(record[0]))
        return list(map(to_values, record)) if nested else list(record)
    return record


def fields_of(record: Any) -> dict[str, Any]:
    """A record's fields by name, as they are: what a JSON encoder asks for when it meets a record."""
    return {name: getattr(record, name) for name in _names_of(type(record))}  # type: ignore[arg-type]  # a class is hashable


@cache
def _names_of(kind: Hashable) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))  # type: ignore[arg-type]


Revive = Callable[[Any], Any]


@cache
def hints_of(kind: Hashable) -> dict[str, Any]:
    """The types of a record's fields, by name. Settled once a type: to ask typing takes half a millisecond."""
    return typing.get_type_hints(kind)


@cache
def _builder(kind: Hashable) -> Callable[[Mapping[str, Any]], Any]:
    """What makes a record of plain values. Which fields need a hand is settled once a type, since rows come by the
    million; a record of numbers and texts takes its values as they are."""
    names = frozenset(f.name for f in fields(kind))  # type: ignore[arg-type]
    nested = [(name, revive) for name in names if (revive := _reviver(hints_of(kind)[name]))]

    def build(values: Mapping[str, Any]) -> Any:
        if not values.keys() <= names:
            values = {name: value for name, value in values.items() if name in names}
        return kind(**values)  # type: ignore[operator]

    def build_nested(values: Mapping[str, Any]) -> Any:
        revived = {**values}
        for name, revive in nested:
            if (value := revived.get(name)) is not None:
                revived[name] = revive(value)
        return build(revived)

    return build_nested if nested else build


def _reviver(hint: Any) -> Revive | None:
    """What makes a field's value of a plain one that is there; None where it stays as it is."""
    if is_dataclass(hint) and isinstance(hint, type):
        return _builder(hint)
    if get_origin(hint) is tuple:
        inner = _reviver(get_args(hint)[0])
        if inner is None:
            return tuple
        return lambda values: tuple([None if value is None else inner(value) for value in values])
    if get_origin(hint) in (typing.Union, types.UnionType):
        return _reviver(next(a for a in get_args(hint) if a is not type(None)))
    return None
