"""What a plugin's stage says of an item, beside our own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Extra:
    """Values by name, anything that JSON can hold; which stage and which item they are of, the store notes."""

    values: Mapping[str, Any]
