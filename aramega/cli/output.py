"""What commands print: results on standard output, all else on standard error, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

SHOWN = 20
"""Lines of one kind that are shown; the rest are counted."""


def note(line: str) -> None:
    """A line about what happens, which is no result."""
    print(f"aramega: {line}", file=sys.stderr)


def print_json(result: Any, *, indent: int | None = 1) -> None:
    """A result as one JSON object: a dict, a list, or a dataclass."""
    plain = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
    print(json.dumps(plain, ensure_ascii=False, indent=indent, default=_plain), flush=True)


def list_some(lines: Sequence[str], before: str = "", after: str = "") -> None:
    """The first of the lines on standard error, and how many more there are."""
    for line in lines[:SHOWN]:
        print(f"{before}{line}{after}", file=sys.stderr)
    if len(lines) > SHOWN:
        print(f"{before}… and {len(lines) - SHOWN:,} more.", file=sys.stderr)


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
