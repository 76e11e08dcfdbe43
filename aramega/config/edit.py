"""Changing values in a TOML file that somebody wrote: their comments, order and blank lines stay.

tomlkit keeps a file's style; we use it for writing only, and read with the standard library's parser.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any


def edit_toml(text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The file's text with the values of `after` wherever they are not those of `before`."""
    import tomlkit

    document = tomlkit.parse(text)
    _edit(document, before, after)
    return tomlkit.dumps(document)


def _edit(table: MutableMapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for key, value in after.items():
        earlier = before.get(key)
        if value == earlier:
            continue
        if isinstance(value, Mapping):
            _edit(table.setdefault(key, {}), earlier or {}, value)
        else:
            table[key] = list(value) if isinstance(value, tuple) else value
