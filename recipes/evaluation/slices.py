"""Slices: parts of the test set by dialect, language, length and signal-to-noise ratio, each scored by itself.

A slice with fewer examples than the configuration's
`smallest_slice` is left out: its interval would be as wide as the scale. Languages are shown where there are several.
What is heard and what is read are no slices: they are scored apart to begin with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recipes.evaluation.config import EvalConfig
from recipes.evaluation.predictions import Prediction

Namer = Callable[[Prediction], str]


def namers(config: EvalConfig) -> dict[str, Namer]:
    """Each kind of slice, with what names a prediction's slice ("" for those that are in none)."""
    return {
        "dialect": lambda prediction: prediction.dialect or "",
        "language": lambda prediction: prediction.language,
        "length": lambda prediction: band(prediction.seconds, config.length_edges, "s") if prediction.seconds else "",
        "snr": lambda prediction: (
            band(prediction.snr_db, config.snr_edges, "dB") if prediction.snr_db is not None else ""
        ),
    }


def slices(predictions: Sequence[Prediction], config: EvalConfig) -> dict[str, dict[str, list[int]]]:
    """Kind → slice → indices of its predictions; bands in rising order, labels in alphabetical."""
    rows_by_slice: dict[str, dict[str, list[int]]] = {}
    for kind, name_of in namers(config).items():
        groups: dict[str, list[int]] = {}
        for i, prediction in enumerate(predictions):
            if name := name_of(prediction):
                groups.setdefault(name, []).append(i)
        shown = {
            name: groups[name] for name in sorted(groups, key=_order) if len(groups[name]) >= config.smallest_slice
        }
        if shown and (kind != "language" or len(groups) > 1):
            rows_by_slice[kind] = shown
    return rows_by_slice


def band(value: float, edges: Sequence[float], unit: str) -> str:
    """The band a value falls in: "under 5 s", "5 to 15 s", "30 s and over"."""
    below = [edge for edge in edges if value >= edge]
    above = [edge for edge in edges if value < edge]
    if not below:
        return f"under {above[0]:g} {unit}"
    return f"{below[-1]:g} to {above[0]:g} {unit}" if above else f"{below[-1]:g} {unit} and over"


def _order(name: str) -> tuple[float, str]:
    """Bands by their lower edge, all else by name."""
    start = name.split(" ", maxsplit=1)[0]
    if name.startswith("under "):
        return (float("-inf"), name)
    return (float(start), name) if start.lstrip("-").replace(".", "", 1).isdigit() else (0.0, name)
