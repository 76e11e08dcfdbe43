"""Drawn at random: a share of the passages whose place in the order has nothing to do with what they are.

Annotators see the doubtful and the rich first, so rates over all that is reviewed say how good the doubtful are.
Passages drawn by their name's hash, and spread over the whole order, are a fair sample wherever the review stops.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from aramega.records import Verdict

_WHOLE = float(1 << 64)


def is_drawn(passage: str, share: float) -> bool:
    """Whether the passage is one of those drawn at random."""
    return _numbers(passage)[0] < share


def at_random_place(verdict: Verdict, order: Sequence[float]) -> Verdict:
    """The verdict with a priority drawn among `order`: those of the other passages, the lowest first."""
    if not order or verdict.decision == "reject":
        return verdict
    return replace(verdict, priority=order[int(_numbers(verdict.passage)[1] * len(order))])


def _numbers(passage: str) -> tuple[float, float]:
    """Two numbers from 0 to 1, always the same for a passage."""
    digest = hashlib.sha256(f"drawn at random\n{passage}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _WHOLE, min(1 - 1e-9, int.from_bytes(digest[8:16], "big") / _WHOLE)
