"""Pictures of the card: bars, as SVG files that need no style sheet and no library.

Each picture repeats what a table beside it says, so nothing is lost where images are not shown. Colours are
readable on a light and on a dark page, and splits are told apart by a legend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from aramega.publish.splits import SPLITS

COLOURS = {"train": "#4477aa", "validation": "#ccbb44", "test": "#ee6677"}
"""Paul Tol's bright scheme: told apart by the colour-blind too."""
WIDTH, ROW, LEFT, RIGHT, TOP = 680, 24, 120, 90, 48
Bars = Sequence[tuple[str, Mapping[str, float]]]
"""Label → value by split, from top to bottom."""


def draw_bars(title: str, bars: Bars, unit: str) -> str:
    """Horizontal bars, the splits one after the other in each."""
    top = max((sum(values.values()) for _, values in bars), default=0.0) or 1.0
    shown = [split for split in SPLITS if any(values.get(split) for _, values in bars)]
    height = TOP + ROW * len(bars) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{escape(title, quote=True)}" font-family="sans-serif" font-size="13" fill="#808890">',
        f'<text x="0" y="16" font-weight="bold">{escape(title)}</text>',
        *_legend(shown),
    ]
    for place, (label, values) in enumerate(bars):
        parts += _bar(TOP + ROW * place, label, values, top, unit)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(shown: Sequence[str]) -> list[str]:
    return [
        f'<rect x="{LEFT + 110 * i}" y="26" width="10" height="10" fill="{COLOURS[split]}"/>'
        f'<text x="{LEFT + 110 * i + 15}" y="35">{split}</text>'
        for i, split in enumerate(shown)
    ]


def _bar(y: int, label: str, values: Mapping[str, float], top: float, unit: str) -> list[str]:
    room = WIDTH - LEFT - RIGHT
    parts = [f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>']
    x = float(LEFT)
    for split in SPLITS:
        if value := values.get(split):
            wide = value / top * room
            parts.append(
                f'<rect x="{x:.1f}" y="{y + 3}" width="{max(wide, 1):.1f}" height="{ROW - 8}" fill="{COLOURS[split]}">'
                f"<title>{split}: {value:,.2f} {unit}</title></rect>"
            )
            x += wide
    return [*parts, f'<text x="{x + 6:.1f}" y="{y + 15}">{sum(values.values()):,.3g}</text>']
