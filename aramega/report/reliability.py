"""Draws whether probabilities hold: what was predicted from left to right, what came true from below."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from aramega.display import number
from aramega.settle.reliability import Bin, Reliability

SIDE = 220
"""Of the square, in pixels."""
LEFT, TOP, BELOW = 34, 10, 34
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_WIDEST = 9.0


def draw_reliability(reliability: Reliability) -> Markup:
    """A point for each bin, as large as it has reviews; on the diagonal, probabilities hold. Hovering tells the numbers."""
    most = max(held.drafts for held in reliability.bins)
    return Markup(
        '<svg class="reliability" role="img" aria-label="{label}" width="{width}" height="{height}">{ticks}'
        '<line class="median" x1="{left}" y1="{bottom}" x2="{right}" y2="{top}"/>{points}</svg>'
    ).format(
        label=describe(reliability),
        width=LEFT + SIDE + 16,
        height=TOP + SIDE + BELOW,
        ticks=_ticks(),
        left=LEFT,
        right=LEFT + SIDE,
        top=TOP,
        bottom=TOP + SIDE,
        points=_points(reliability.bins, most),
    )


def describe(reliability: Reliability) -> str:
    """What the picture shows, in words."""
    pairs = ", ".join(f"{held.predicted:.0%} predicted and {held.observed:.0%} true" for held in reliability.bins)
    return f"Reliability of the confidence: {pairs}. Calibration error {number(reliability.ece, 3)}."


def _points(bins: Iterable[Bin], most: int) -> Markup:
    return Markup("").join(
        Markup('<circle class="bar" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>').format(
            LEFT + SIDE * held.predicted,
            TOP + SIDE * (1 - held.observed),
            max(3.0, _WIDEST * (held.drafts / most) ** 0.5),
            f"predicted {held.predicted:.0%}, accepted {held.observed:.0%} of {held.drafts:,} reviews",
        )
        for held in bins
    )


def _ticks() -> Markup:
    return Markup("").join(
        Markup(
            '<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            '<text class="last" x="{side}" y="{text_y:.1f}">{text}</text>'
            '<text class="middle" x="{x:.1f}" y="{below}">{text}</text>'
        ).format(
            left=LEFT,
            right=LEFT + SIDE,
            y=TOP + SIDE * (1 - tick),
            side=LEFT - 6,
            text_y=TOP + SIDE * (1 - tick) + 4,
            x=LEFT + SIDE * tick,
            below=TOP + SIDE + 18,
            text=f"{tick:.0%}",
        )
        for tick in _TICKS
    )
