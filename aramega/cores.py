"""Cores: how many there are for us."""

from __future__ import annotations

import os


def count_cores() -> int:
    """The cores we may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
