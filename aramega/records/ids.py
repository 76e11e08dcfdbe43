"""Ids are made from content, never from order or from a path: the same bytes give the same ids on any
machine, in any order, with any number of workers.
"""

from __future__ import annotations


def recording_id(sha256: str) -> str:
    """64 bits of the content's hash: at 20 million recordings, one chance in 100,000 of any clash."""
    return sha256[:16]


def stretch_id(recording: str, start: float, end: float) -> str:
    """The id of a segment or passage: its recording and its milliseconds."""
    return f"{recording}-{milliseconds(start):09d}-{milliseconds(end):09d}"


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def on_grid(seconds: float) -> float:
    """The nearest whole millisecond, as seconds."""
    return round(seconds * 1000) / 1000
