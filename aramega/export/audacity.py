"""Audacity's label tracks: start, end and a label, separated by tabs, times in the recording."""

from __future__ import annotations

from collections.abc import Iterator

from aramega.export.contents import Contents, Unit, decimal


def audacity_labels(contents: Contents, unit: Unit) -> Iterator[str]:
    for stretch in contents.stretches(unit):
        yield f"{decimal(stretch.start)}\t{decimal(stretch.end)}\t{contents.label(stretch)}\n"
